import * as fc from 'fast-check';
import type { CommandContext } from '@app/kernel';
import { contextOf } from './event-store.suite';
import { longUuid, shortUuid } from './short-uuid';
import {
  commandMetaOf,
  isStoredMetadata,
  lastOf,
  storedMetadataOf,
  type StoredMetadata,
} from './stored-metadata';

const anyId = fc.oneof(fc.uuid(), fc.string({ minLength: 1 }));

describe('stored metadata', () => {
  it('says what the context did, in JSON', () =>
    fc.assert(
      fc.property(
        fc.uuid(),
        anyId,
        anyId,
        fc.constantFrom('operator', 'system' as const),
        fc.constantFrom('api-key', 'internal' as const),
        fc.option(fc.constantFrom('203.0.113.0/24', '10.0.0.0/24', '2001:db8:1::/48', '::/48'), {
          nil: undefined,
        }),
        (commandId, correlationId, id, role, method, network) => {
          const actor = { id, role, method } as CommandContext['actor'];
          const context = contextOf({
            commandId,
            correlationId,
            actor,
            ...(network !== undefined && { network }),
          });
          const stored: unknown = JSON.parse(
            JSON.stringify(storedMetadataOf(context, undefined, lastOf(context, {}))),
          );
          expect(isStoredMetadata(stored)).toBe(true);
          expect(commandMetaOf(stored as StoredMetadata)).toEqual({
            commandId,
            correlationId,
            actor,
            ...(network !== undefined && { network }),
          });
        },
      ),
    ));

  it('reads ids and actors as they were stored before they were shortened', () =>
    expect(
      commandMetaOf({ c: '0d9c1ab0-7c2f-4c55-a3c3-6a1f5b1e9a01', a: ['key-1', 'operator', 'api-key'] }),
    ).toMatchObject({
      commandId: '0d9c1ab0-7c2f-4c55-a3c3-6a1f5b1e9a01',
      actor: { id: 'key-1', role: 'operator', method: 'api-key' },
    }));

  it('keeps UUIDs in 23 characters, and everything else as it is', () =>
    fc.assert(
      fc.property(fc.uuid(), fc.string(), (uuid, text) => {
        expect([shortUuid(uuid).length, longUuid(shortUuid(uuid))]).toEqual([23, uuid]);
        expect([longUuid(shortUuid(text)), shortUuid(uuid.toUpperCase() + text)]).toEqual([
          text,
          uuid.toUpperCase() + text,
        ]);
      }),
    ));
});
