import { createHash } from 'node:crypto';
import { EventCatalog, EventCodec, type StoredEvent } from '@app/event-store';
import type { DomainEvent } from '@app/kernel';
import { DataKey, KeyRing, Sealer, type KeyLookup } from '@app/personal-data';
import { accessEventDefinitions } from '../../libs/access/src/domain/access.events';
import { automationEventDefinitions } from '../../libs/automations/src/domain/automation.events';
import { contactEventDefinitions } from '../../libs/contacts/src/domain/contact.events';
import { programmeEventDefinitions } from '../../libs/contacts/src/domain/programme.events';
import { privacyLogEventDefinitions } from '../../libs/privacy-log/src/domain/privacy.events';
import { rewardEventDefinitions } from '../../libs/rewards/src/domain/reward.events';
import { announcementEventDefinitions } from '../../libs/segments/src/domain/announcement.events';
import { segmentEventDefinitions } from '../../libs/segments/src/domain/segment.events';
import { segmentGraphEventDefinitions } from '../../libs/segments/src/domain/segment-graph.events';

/** A stored event as in the file of samples, and what it is read as: type and data of the newest version. */
export type GoldenSample = Readonly<{
  stored: Omit<StoredEvent, 'position' | 'recordedAt'> & Readonly<{ position: string; recordedAt: string }>;
  read: DomainEvent;
}>;

export const GOLDEN_FILE = 'stored-events.json';
export const GOLDEN_CONTACT_ID = '4f5b8d9e-6a43-4c8e-9a55-0d5f6f2b7c11';

/** Keys that follow from their ids, so that the samples can be opened for ever. */
class GoldenKeyRing extends KeyRing {
  keyForSealing(contactId: string, keyClass: 'personal' | 'retained'): Promise<DataKey> {
    const id = Buffer.from(contactId.replaceAll('-', ''), 'hex').toString('base64url');
    return Promise.resolve(keyOf((keyClass === 'personal' ? 'p' : 'r') + id));
  }

  keyForOpening(keyId: string): Promise<KeyLookup> {
    return Promise.resolve(this.keyAtHand(keyId));
  }

  override keyAtHand(keyId: string): KeyLookup {
    return { kind: 'active', key: keyOf(keyId) };
  }

  destroy(): Promise<never> {
    return Promise.reject(new Error('The samples are never erased.'));
  }
}

const keyOf = (keyId: string): DataKey =>
  new DataKey(keyId, createHash('sha256').update(`golden ${keyId}`).digest());

export const goldenCatalog = new EventCatalog([
  ...accessEventDefinitions,
  ...contactEventDefinitions,
  ...programmeEventDefinitions,
  ...rewardEventDefinitions,
  ...privacyLogEventDefinitions,
  ...segmentEventDefinitions,
  ...segmentGraphEventDefinitions,
  ...announcementEventDefinitions,
  ...automationEventDefinitions,
]);

export const goldenCodec = new EventCodec(goldenCatalog, new Sealer(new GoldenKeyRing()));
