import { Inject, Injectable } from '@nestjs/common';
import { available, collectionOf, READ_DB } from '@app/read-store';
import type { Collection, Db } from 'mongodb';
import type { Trigger } from '../domain/automation.events';
import { automationsProjection, type AutomationDocument } from './automations.projection';

type Stored = AutomationDocument & { _id: string };

const QUERY_TIME_MAX_MS = 10_000;

/** Where a page begins: behind the automation that the page before ended with. */
export type AfterAutomation = Readonly<{ createdAt: string; automationId: string }>;

/** Of deleted ones an id is left, and no time of creation. */
const SHOWN = { createdAt: { $gt: '' } };

/** Throws ReadStoreUnavailableError where the same again may succeed. */
@Injectable()
export class AutomationReads {
  private readonly automations: Collection<Stored>;

  constructor(@Inject(READ_DB) db: Db) {
    this.automations = db.collection<Stored>(collectionOf(automationsProjection));
  }

  find(automationId: string): Promise<AutomationDocument | null> {
    return available(() =>
      this.automations.findOne({ _id: automationId, ...SHOWN }, { maxTimeMS: QUERY_TIME_MAX_MS }),
    );
  }

  /** At most `limit` automations, oldest first. */
  page(after: AfterAutomation | null, limit: number): Promise<AutomationDocument[]> {
    const behind =
      after === null
        ? SHOWN
        : {
            createdAt: { $gte: after.createdAt },
            $or: [{ createdAt: { $gt: after.createdAt } }, { _id: { $gt: after.automationId } }],
          };
    return available(() =>
      this.automations
        .find(behind, { sort: { createdAt: 1, _id: 1 }, limit, maxTimeMS: QUERY_TIME_MAX_MS })
        .toArray(),
    );
  }

  /** Ids of those that may listen to a change, in a stable order; whether they do is for their streams to say. */
  async listeningTo({ segmentId, change }: Trigger): Promise<readonly string[]> {
    const found = await available(() =>
      this.automations
        .find(
          { 'terms.on.segmentId': segmentId, 'terms.on.change': change },
          { projection: { _id: 1 }, sort: { _id: 1 }, maxTimeMS: QUERY_TIME_MAX_MS },
        )
        .toArray(),
    );
    return found.map(({ _id }) => _id);
  }

  /** How many there are, and how many on a segment, without some. */
  async countWithout(
    automationIds: readonly string[],
    segmentId: string,
  ): Promise<Readonly<{ all: number; onSegment: number }>> {
    const others = { ...SHOWN, _id: { $nin: [...automationIds] } };
    const count = (filter: object): Promise<number> =>
      available(() => this.automations.countDocuments(filter, { maxTimeMS: QUERY_TIME_MAX_MS }));
    return {
      all: await count(others),
      onSegment: await count({ ...others, 'terms.on.segmentId': segmentId }),
    };
  }
}
