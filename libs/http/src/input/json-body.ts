import { isUtf8 } from 'node:buffer';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { HttpProblem } from '../problem/problem';

export const JSON_DEPTH_MAX = 64;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Whether JSON text nests deeper than `max`; counted before parsing, since what walks the parsed value may recurse. */
export const nestsDeeper = (json: Uint8Array, max: number): boolean => {
  let depth = 0;
  let inText = false;
  for (let at = 0; at < json.length; at += 1) {
    const byte = json[at];
    if (inText) {
      if (byte === BACKSLASH) at += 1;
      else if (byte === QUOTE) inText = false;
    } else if (byte === QUOTE) inText = true;
    else if (byte === 0x7b || byte === 0x5b) {
      depth += 1;
      if (depth > max) return true;
    } else if (byte === 0x7d || byte === 0x5d) depth -= 1;
  }
  return false;
};

type JsonParser = (text: string) => unknown;

/** Parses a body. Throws a 400 problem whose detail repeats nothing of it. Nothing sent is undefined. */
export const parseJsonBody = (body: Buffer, parse: JsonParser = JSON.parse): unknown => {
  if (body.length === 0) return undefined;
  if (!isUtf8(body)) throw new HttpProblem(400, 'invalid-utf8', 'The body is not valid UTF-8.');
  if (nestsDeeper(body, JSON_DEPTH_MAX)) {
    throw new HttpProblem(400, 'json-too-deep', `The body nests deeper than ${JSON_DEPTH_MAX} levels.`);
  }
  try {
    return parse(body.toString('utf8'));
  } catch {
    throw new HttpProblem(
      400,
      'malformed-json',
      'The body is not well-formed JSON, or uses the keys __proto__ or constructor.prototype.',
    );
  }
};

const FOREIGN_CHARSET = /;\s*charset\s*=\s*(?!"?utf-8"?\s*(?:;|$))/i;

/** JSON in UTF-8 is the one content type that routes take; any other is a 415 problem. */
export const acceptJsonOnly = (fastify: FastifyInstance): void => {
  const parse = withoutPrototypeKeys(fastify);
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser<Buffer>(
    ['application/json', 'application/merge-patch+json'],
    { parseAs: 'buffer' },
    (request, body, done) => {
      try {
        if (FOREIGN_CHARSET.test(request.headers['content-type'] ?? '')) {
          throw new HttpProblem(415, 'unsupported-media-type', 'JSON is taken in UTF-8 only.');
        }
        done(null, parseJsonBody(body, parse));
      } catch (error) {
        done(error as Error);
      }
    },
  );
};

/** Fastify's own parser, which refuses keys that reach for prototypes. It answers at once. */
const withoutPrototypeKeys = (fastify: FastifyInstance): JsonParser => {
  const parser = fastify.getDefaultJsonParser('error', 'error');
  return (text) => {
    let parsed: unknown;
    void parser({} as FastifyRequest, text, (error, value) => {
      if (error) throw error;
      parsed = value;
    });
    return parsed;
  };
};
