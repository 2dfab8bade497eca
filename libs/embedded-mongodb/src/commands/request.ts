import { badValue, CommandError, failedToParse, wrongType } from '../command.error';
import {
  bytesOf,
  entriesOf,
  isNumber,
  isText,
  isTrue,
  numberOf,
  T,
  textOf,
  Value,
  valuesOf,
} from '../bson/raw-value';
import { truthOf } from '../query/filter';

const BATCH_OPERATIONS_MAX = 100_000;
const BATCH_LENGTH_CODE = 16;

/** A command's fields, read with the checks a server makes. */
export class Request {
  readonly command: string;
  private readonly fields: ReadonlyMap<string, Value>;

  constructor(
    body: Buffer,
    private readonly sequences: ReadonlyMap<string, readonly Buffer[]>,
    namespace?: string,
  ) {
    const entries = entriesOf({ type: T.object, buf: body, at: 0, end: body.length });
    this.command = entries[0]?.[0] ?? '';
    this.fields = new Map(entries);
    this.database = this.optionalText('$db') ?? namespace?.slice(0, namespace.indexOf('.')) ?? 'admin';
  }

  readonly database: string;

  value(name: string): Value | undefined {
    return this.fields.get(name);
  }

  optionalText(name: string): string | undefined {
    const value = this.fields.get(name);
    if (!value) return undefined;
    if (!isText(value.type)) throw wrongType(name, value, 'string');
    return textOf(value);
  }

  /** The namespace of a command whose first field names a collection. */
  get namespace(): string {
    const value = this.fields.get(this.command)!;
    if (!isText(value.type)) {
      throw new CommandError(73, `collection name has invalid type`);
    }
    if (textOf(value) === '') throw new CommandError(73, `Invalid namespace specified '${this.database}.'`);
    return `${this.database}.${textOf(value)}`;
  }

  flag(name: string, otherwise: boolean): boolean {
    const value = this.fields.get(name);
    if (!value) return otherwise;
    if (value.type === T.bool) return isTrue(value);
    if (!isNumber(value.type)) throw wrongType(name, value, 'bool');
    return truthOf(value);
  }

  count(name: string): number | undefined {
    const value = this.fields.get(name);
    if (!value || value.type === T.null) return undefined;
    if (!isNumber(value.type) || value.type === T.decimal) throw wrongType(name, value, 'long');
    const number = Math.trunc(Number(numberOf(value)));
    if (!(number >= 0))
      throw new CommandError(51024, `BSON field '${name}' value must be >= 0, actual value '${number}'`);
    return number;
  }

  document(name: string): Value | undefined {
    const value = this.fields.get(name);
    if (!value || value.type === T.null) return undefined;
    if (value.type !== T.object) throw wrongType(name, value, 'object');
    return value;
  }

  /** Documents of a batch, from a sequence or an array. */
  documents(name: string): readonly Buffer[] {
    const documents = this.sequences.get(name) ?? this.listed(name);
    if (documents.length < 1 || documents.length > BATCH_OPERATIONS_MAX) {
      throw new CommandError(
        BATCH_LENGTH_CODE,
        `Write batch sizes must be between 1 and ${BATCH_OPERATIONS_MAX}. Got ${documents.length} operations.`,
      );
    }
    return documents;
  }

  private listed(name: string): Buffer[] {
    const value = this.fields.get(name);
    if (!value)
      throw new CommandError(40414, `BSON field '${this.command}.${name}' is missing but a required field`);
    if (value.type !== T.array) throw wrongType(name, value, 'array');
    return valuesOf(value).map((item) => {
      if (item.type !== T.object) throw wrongType(`${name}.0`, item, 'object');
      return bytesOf(item);
    });
  }

  /** Refuses options whose silent neglect would give wrong answers. */
  refuseUnsupported(): void {
    if (this.fields.has('collation')) throw new CommandError(238, 'collation is not supported');
    if (this.fields.has('startTransaction') || this.fields.has('autocommit')) {
      throw new CommandError(20, 'Transaction numbers are only allowed on a replica set member or mongos');
    }
    if (this.fields.has('let') && entriesOf(this.fields.get('let')!).length > 0) {
      throw new CommandError(238, 'let is not supported');
    }
  }

  /** Whether the write has to be on disk before it is answered. */
  get isJournaled(): boolean {
    const concern = this.document('writeConcern');
    if (!concern) return false;
    const options = new Map(entriesOf(concern));
    const w = options.get('w');
    if (w && isNumber(w.type) && Number(numberOf(w)) > 1) {
      throw badValue("cannot use 'w' > 1 when a host is not replicated");
    }
    if (w && isText(w.type) && textOf(w) !== 'majority')
      throw failedToParse(`unrecognized write concern mode: ${textOf(w)}`);
    return truthOf(options.get('j')) || truthOf(options.get('fsync'));
  }
}
