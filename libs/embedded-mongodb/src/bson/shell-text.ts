import { isText, numberOf, T, textOf, Value, entriesOf, valuesOf, isTrue } from './raw-value';

/** A value as a MongoDB server writes it into its messages. */
export const shellText = (value: Value): string => {
  switch (value.type) {
    case T.string:
    case T.symbol:
      return JSON.stringify(isText(value.type) ? textOf(value) : '');
    case T.int:
    case T.long:
      return String(numberOf(value));
    case T.double: {
      const number = Number(numberOf(value));
      return Number.isInteger(number) ? number.toFixed(1) : String(number);
    }
    case T.bool:
      return String(isTrue(value));
    case T.null:
      return 'null';
    case T.objectId:
      return `ObjectId('${value.buf.toString('hex', value.at, value.end)}')`;
    case T.date:
      return `new Date(${value.buf.readBigInt64LE(value.at)})`;
    case T.object:
      return `{ ${entriesOf(value)
        .map(([name, item]) => `${name}: ${shellText(item)}`)
        .join(', ')} }`;
    case T.array:
      return `[ ${valuesOf(value).map(shellText).join(', ')} ]`;
    default:
      return value.buf.toString('hex', value.at, value.end);
  }
};
