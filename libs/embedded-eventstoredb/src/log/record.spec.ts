import { ReadResp } from '@eventstore/db-client/generated/streams_pb';
import fc from 'fast-check';
import { encodeRecord, LogRecord } from './record';

const event = fc.record({
  position: fc.integer({ min: 64, max: 2 ** 47 }),
  durable: fc.nat(),
  stream: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 300 }).map((name) => Buffer.from(name)),
  revision: fc.oneof(fc.nat(), fc.integer({ min: 0, max: 2 ** 47 }), fc.constant('tombstone' as const)),
  endOfAppend: fc.boolean(),
  createdMs: fc.integer({ min: 0, max: 2 ** 45 }),
  id: fc.uuid(),
  type: fc.string({ minLength: 1, maxLength: 300 }),
  isJson: fc.boolean(),
  customMetadata: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  data: fc.uint8Array({ maxLength: 20_000 }).map((bytes) => Buffer.from(bytes)),
});

describe('a record of the log', () => {
  it('gives back what was put in, and is a message that the client reads', () => {
    fc.assert(
      fc.property(event, fc.nat(40), (input, offset) => {
        const bytes = Buffer.concat([Buffer.alloc(offset, 7), encodeRecord(input)]);
        const record = LogRecord.parse(bytes, offset, input.position) as LogRecord;
        expect(record.next).toBe(input.position + bytes.length - offset);
        expect(record).toMatchObject({
          stream: input.stream.toString(),
          type: input.type,
          id: input.id,
          isJson: input.isJson,
          createdMs: input.createdMs,
          durableBefore: input.durable,
          endsAppend: input.endOfAppend,
          isTombstone: input.revision === 'tombstone',
        });
        expect(record.data.equals(input.data)).toBe(true);

        expect(record.frame.readUInt32BE(1)).toBe(record.frame.length - 5);
        const message = ReadResp.deserializeBinary(record.frame.subarray(5)).getEvent();
        const recorded = message?.getEvent();
        expect(message?.getCommitPosition()).toBe(String(input.position));
        expect(recorded?.getId()?.getString()).toBe(input.id);
        expect(
          Buffer.from(recorded?.getStreamIdentifier()?.getStreamName_asU8() ?? []).equals(input.stream),
        ).toBe(true);
        expect(recorded?.getStreamRevision()).toBe(
          input.revision === 'tombstone' ? '9223372036854775807' : String(input.revision),
        );
        expect([recorded?.getCommitPosition(), recorded?.getPreparePosition()]).toEqual(
          Array(2).fill(String(input.position)),
        );
        expect(recorded?.getMetadataMap().get('type')).toBe(input.type);
        expect(recorded?.getMetadataMap().get('created')).toBe(`${input.createdMs}0000`);
        expect(Buffer.from(recorded?.getCustomMetadata_asU8() ?? []).equals(input.customMetadata)).toBe(true);
        expect(Buffer.from(recorded?.getData_asU8() ?? []).equals(input.data)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it('is refused when a bit of it has changed, or when it is looked for elsewhere', () => {
    fc.assert(
      fc.property(event, fc.nat(), fc.nat(7), (input, at, bit) => {
        const bytes = encodeRecord(input);
        expect(LogRecord.parse(bytes, 0, input.position + 1)).toBeNull();
        expect(LogRecord.parse(bytes.subarray(0, bytes.length - 1), 0, input.position)).toBeNull();
        const index = at % bytes.length;
        bytes.writeUInt8(bytes.readUInt8(index) ^ (1 << bit), index);
        expect(LogRecord.parse(bytes, 0, input.position)).toBeNull();
      }),
      { numRuns: 300 },
    );
  });
});
