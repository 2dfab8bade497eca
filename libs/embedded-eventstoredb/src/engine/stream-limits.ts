/** What a stream's metadata says about which of its events can be read. */
export type StreamLimits = Readonly<{
  maxCount: number | null;
  maxAgeMs: number | null;
  truncateBefore: number;
  softDeleted: boolean;
}>;

export const NO_LIMITS: StreamLimits = {
  maxCount: null,
  maxAgeMs: null,
  truncateBefore: 0,
  softDeleted: false,
};
/** A metadata stream shows its newest event only. */
export const METADATA_STREAM_LIMITS: StreamLimits = { ...NO_LIMITS, maxCount: 1 };

export const METADATA_TYPE = '$metadata';
export const SOFT_DELETE_METADATA = Buffer.from('{"$tb":9223372036854775807}');
/** 2^63 - 1 as JSON.parse reads it. */
const TRUNCATE_ALL = 9223372036854775807;

const jsonObject = (text: string): Record<string, unknown> | null => {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
};

const positive = (value: unknown): number | null => (typeof value === 'number' && value > 0 ? value : null);

/** Reads the limits out of a metadata event; what is not metadata limits nothing. */
export const parseLimits = (metadata: string): StreamLimits => {
  const json = jsonObject(metadata);
  if (!json) return NO_LIMITS;
  const maxAge = positive(json['$maxAge']);
  const truncateBefore = positive(json['$tb']) ?? 0;
  return {
    maxCount: positive(json['$maxCount']),
    maxAgeMs: maxAge === null ? null : maxAge * 1000,
    truncateBefore,
    softDeleted: truncateBefore >= TRUNCATE_ALL,
  };
};

/** The metadata of a soft-deleted stream that begins again at `revision`; null where it is no JSON object. */
export const recreatedMetadata = (metadata: string, revision: number): Buffer | null => {
  const json = jsonObject(metadata);
  return json && Buffer.from(JSON.stringify({ ...json, $tb: revision }));
};
