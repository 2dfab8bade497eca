/** Something that is not as it should be. `integrity`: changed or not signed; `completeness`: missing, added or repeated. */
export type Fault = Readonly<{
  area: 'integrity' | 'completeness';
  code: FaultCode;
  /** Of the entry, where it is one. */
  index?: number;
  detail: string;
}>;

export type FaultCode =
  /** The first line does not name this format and the log. */
  | 'header'
  /** A line that is neither entry nor checkpoint in canonical form. */
  | 'line'
  /** An entry's leaf hash is not that of its bytes. */
  | 'leaf-hash'
  /** A served tile does not hold the hashes of the entries. */
  | 'tile'
  /** A checkpoint that is malformed, changed, or not signed by a key given. */
  | 'checkpoint'
  /** A checkpoint signed after the end of its key's validity. */
  | 'key-validity'
  /** The entries do not give the root of a signed checkpoint. */
  | 'root'
  /** A checkpoint stands behind entries or checkpoints that it does not cover. */
  | 'checkpoint-order'
  /** Indices do not follow one another from 0. */
  | 'index'
  /** Nothing signed was given, so nothing is proven. */
  | 'no-checkpoint'
  /** A checkpoint covers more entries than there are. */
  | 'missing'
  /** Entries behind the last checkpoint: nothing vouches for them. */
  | 'not-covered'
  /** An entry, or the event it tells of, was there before. */
  | 'repeated';

const AREAS: Readonly<Record<FaultCode, Fault['area']>> = {
  header: 'integrity',
  line: 'integrity',
  'leaf-hash': 'integrity',
  tile: 'integrity',
  checkpoint: 'integrity',
  'key-validity': 'integrity',
  root: 'integrity',
  'checkpoint-order': 'integrity',
  index: 'completeness',
  'no-checkpoint': 'completeness',
  missing: 'completeness',
  'not-covered': 'completeness',
  repeated: 'completeness',
};

export type LogVerdict = Readonly<{
  /** `unproven`: nothing speaks against it, but no signature covers all entries. */
  integrity: 'ok' | 'unproven' | 'broken';
  completeness: 'ok' | 'broken';
  /** How many entries there were. */
  entryCount: number;
  /** Root over them. */
  root: Buffer;
  /** Root at the size that was asked for; null if there are fewer entries. */
  rootAt: Buffer | null;
  /** Entries below this index are exactly those that were signed, in that order. */
  provenSize: number;
  /** Where a root did not fit: the change is among the entries from `from` to before `to`. */
  changedBetween: Readonly<{ from: number; to: number }> | null;
  /** Entries that the largest checkpoint covers, signed by a key given. */
  signedSize: number;
  /** The same for checkpoints that a witness kept; null without any. */
  witnessedSize: number | null;
  checkpointCount: number;
  faultCount: number;
  /** The first of them, at most 100. */
  faults: readonly Fault[];
}>;

/** Of one entry: `broken` by itself, `proven` by a checkpoint, or `unproven`, neither. */
export type EntryVerdict = 'broken' | 'proven' | 'unproven';

export const entryVerdict = (
  index: number,
  faults: readonly Fault[],
  { provenSize }: Pick<LogVerdict, 'provenSize'>,
): EntryVerdict => {
  if (faults.length > 0) return 'broken';
  return index < provenSize ? 'proven' : 'unproven';
};

const FAULTS_KEPT_MAX = 100;

/** Gathers faults: all are counted and told on, the first are kept. */
export class FaultList {
  count = 0;
  readonly kept: Fault[] = [];
  private readonly broken = new Set<Fault['area']>();

  constructor(private readonly onFault?: (fault: Fault) => void) {}

  add(code: FaultCode, detail: string, index?: number): Fault {
    const fault: Fault = { area: AREAS[code], code, detail, ...(index !== undefined && { index }) };
    this.count += 1;
    this.broken.add(fault.area);
    if (this.kept.length < FAULTS_KEPT_MAX) this.kept.push(fault);
    this.onFault?.(fault);
    return fault;
  }

  has(area: Fault['area']): boolean {
    return this.broken.has(area);
  }
}
