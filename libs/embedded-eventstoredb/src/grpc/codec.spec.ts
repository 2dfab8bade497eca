import { Empty } from '@eventstore/db-client/generated/shared_pb';
import { ReadReq } from '@eventstore/db-client/generated/streams_pb';
import fc from 'fast-check';
import { MalformedMessageError } from '../wire';
import {
  decodeAppendRequest,
  decodeBatchAppendRequest,
  decodeEvent,
  decodeTargetRequest,
} from './append.codec';
import { decodeReadRequest } from './read.codec';
import { RpcError } from './rpc-errors';

const validRead = (): Buffer => {
  const options = new ReadReq.Options();
  const all = new ReadReq.Options.AllOptions();
  all.setStart(new Empty());
  options.setAll(all);
  options.setCount('18446744073709551615');
  options.setNoFilter(new Empty());
  const ids = new ReadReq.Options.UUIDOption();
  ids.setString(new Empty());
  options.setUuidOption(ids);
  const request = new ReadReq();
  request.setOptions(options);
  return Buffer.from(request.serializeBinary());
};

describe('decoding what clients send', () => {
  it('takes any bytes, and refuses what it cannot use in one of two ways', () => {
    const decoders = [
      decodeReadRequest,
      decodeAppendRequest,
      decodeBatchAppendRequest,
      decodeTargetRequest,
      decodeEvent,
    ];
    const random = fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes));
    const nearlyValid = fc.tuple(fc.nat(), fc.nat(255)).map(([at, value]) => {
      const bytes = validRead();
      bytes.writeUInt8(value, at % bytes.length);
      return bytes;
    });
    fc.assert(
      fc.property(fc.oneof(random, nearlyValid), (bytes) => {
        for (const decode of decoders) {
          try {
            decode(bytes);
          } catch (error) {
            expect(error instanceof MalformedMessageError || error instanceof RpcError).toBe(true);
          }
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('reads 64-bit numbers whole', () => {
    expect(decodeReadRequest(validRead())).toMatchObject({
      stream: null,
      from: 'start',
      count: 2n ** 64n - 1n,
    });
  });
});
