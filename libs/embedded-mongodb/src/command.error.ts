import { Value } from './bson/raw-value';

/** Names and numbers of MongoDB's error codes that this server answers with. */
const CODE_NAMES: Readonly<Record<number, string>> = {
  1: 'InternalError',
  2: 'BadValue',
  9: 'FailedToParse',
  14: 'TypeMismatch',
  15: 'Overflow',
  16: 'InvalidLength',
  20: 'IllegalOperation',
  22: 'InvalidBSON',
  26: 'NamespaceNotFound',
  27: 'IndexNotFound',
  28: 'PathNotViable',
  40: 'ConflictingUpdateOperators',
  43: 'CursorNotFound',
  48: 'NamespaceExists',
  51: 'InvalidPipelineOperator',
  52: 'DollarPrefixedFieldName',
  53: 'InvalidIdField',
  56: 'EmptyFieldName',
  59: 'CommandNotFound',
  66: 'ImmutableField',
  67: 'CannotCreateIndex',
  72: 'InvalidOptions',
  73: 'InvalidNamespace',
  85: 'IndexOptionsConflict',
  86: 'IndexKeySpecsConflict',
  93: 'IllegalOpMsgFlag',
  115: 'CommandNotSupported',
  171: 'CannotIndexParallelArrays',
  197: 'InvalidIndexSpecificationOption',
  238: 'NotImplemented',
  263: 'OperationNotSupportedInTransaction',
  292: 'QueryExceededMemoryLimitNoDiskUseAllowed',
  10334: 'BSONObjectTooLarge',
  11000: 'DuplicateKey',
};

/** A refusal, answered with the code a MongoDB server has for it. */
export class CommandError extends Error {
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
  }

  get codeName(): string {
    return CODE_NAMES[this.code] ?? `Location${this.code}`;
  }
}

/** A unique index refused a document; `keyPattern` and `keyValue` are BSON documents. */
export class DuplicateKeyError extends CommandError {
  constructor(
    message: string,
    readonly keyPattern: Buffer,
    readonly keyValue: Buffer,
  ) {
    super(11000, message);
  }
}

/** What a command that meets an unknown or unsupported operator answers. */
export const badValue = (message: string): CommandError => new CommandError(2, message);

export const failedToParse = (message: string): CommandError => new CommandError(9, message);

export const wrongType = (field: string, value: Value, expected: string): CommandError =>
  new CommandError(
    14,
    `BSON field '${field}' is the wrong type '${typeName(value.type)}', expected type '${expected}'`,
  );

const TYPE_NAMES: Readonly<Record<number, string>> = {
  0x01: 'double',
  0x02: 'string',
  0x03: 'object',
  0x04: 'array',
  0x05: 'binData',
  0x06: 'undefined',
  0x07: 'objectId',
  0x08: 'bool',
  0x09: 'date',
  0x0a: 'null',
  0x0b: 'regex',
  0x0d: 'javascript',
  0x0e: 'symbol',
  0x0f: 'javascriptWithScope',
  0x10: 'int',
  0x11: 'timestamp',
  0x12: 'long',
  0x13: 'decimal',
  0x7f: 'maxKey',
  0xff: 'minKey',
};

/** The alias that `$type` and messages use for a BSON type byte. */
export const typeName = (type: number): string => TYPE_NAMES[type] ?? `type ${type}`;

/** The BSON type byte of a `$type` alias, if it is one. */
export const typeOfName = (name: string): number | undefined => {
  for (const [type, known] of Object.entries(TYPE_NAMES)) if (known === name) return Number(type);
  return undefined;
};
