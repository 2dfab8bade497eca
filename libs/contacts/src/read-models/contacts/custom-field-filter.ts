import { prefixEnd, type AttributeLeaf, type StoreFilter, type Verdicts } from '@app/rules';

/**
 * A test of a custom field as filters. A field holds a text, a number, a flag or a list of texts, and a test is unknown on a
 * value of another type than it asks for. Comparisons in the store look into lists, so a test of a text has to leave lists out.
 */
export const customFieldVerdicts = (test: AttributeLeaf, path: string): Verdicts => {
  const is = (yes: object, no: object, exact = true): Verdicts => ({
    yes: { [path]: yes },
    no: { [path]: no },
    exact,
  });
  const negated = ({ yes, no, exact }: Verdicts): Verdicts => ({ yes: no, no: yes, exact });
  const ofText = (yes: StoreFilter, no: StoreFilter, exact = true): Verdicts => ({
    yes: { $and: [yes, { [path]: NO_LIST }] },
    no: { $and: [no, { [path]: NO_LIST }] },
    exact,
  });
  const ofList = (yes: object, no: object): Verdicts => ({
    yes: { $and: [{ [path]: LIST }, { [path]: yes }] },
    no: { $and: [{ [path]: LIST }, { [path]: no }] },
    exact: true,
  });
  /** The parser takes only dates here, but the field may hold any text. */
  const dates = (yes: object): Verdicts => ofText({ [path]: yes }, { [path]: TEXT }, false);

  switch (test.op) {
    case 'isSet':
      return is({ $ne: null }, { $eq: null });
    case 'isUnset':
      return is({ $eq: null }, { $ne: null });
    case 'eq':
    case 'neq': {
      const { value } = test;
      const equal =
        typeof value === 'boolean'
          ? is({ $eq: value }, { $eq: !value })
          : typeof value === 'number'
            ? is({ $eq: value }, { $ne: value, ...NUMBER })
            : ofText({ [path]: value }, { [path]: { $ne: value, ...TEXT } });
      return test.op === 'eq' ? equal : negated(equal);
    }
    case 'in':
    case 'notIn': {
      const values = [...new Set(test.value)];
      const within = ofText({ [path]: { $in: values } }, { [path]: { $nin: values, ...TEXT } });
      return test.op === 'in' ? within : negated(within);
    }
    case 'startsWith': {
      const end = prefixEnd(test.value);
      const [below, above] = [{ [path]: { $lt: test.value } }, { [path]: { $gte: end ?? '' } }];
      return end === null
        ? ofText({ [path]: { $gte: test.value } }, below)
        : ofText({ [path]: { $gte: test.value, $lt: end } }, { $or: [below, above] });
    }
    case 'endsWith':
    case 'contains':
    case 'notContains':
      return ofText({ [path]: TEXT }, { [path]: TEXT }, false);
    case 'lt':
    case 'lte':
    case 'gt':
    case 'gte':
      if (typeof test.value !== 'number') return is(TEXT, TEXT, false);
      return is({ [`$${test.op}`]: test.value }, { [OPPOSITES[test.op]]: test.value });
    case 'between':
    case 'notBetween': {
      const [from, to] = test.value;
      if (typeof from !== 'number') return dates({ $gte: from, $lte: to });
      const within: Verdicts = {
        yes: { [path]: { $gte: from, $lte: to } },
        no: { $or: [{ [path]: { $lt: from } }, { [path]: { $gt: to } }] },
        exact: true,
      };
      return test.op === 'between' ? within : negated(within);
    }
    case 'before':
      return dates({ $lt: test.value });
    case 'after':
      return dates({ $gt: test.value });
    case 'olderThan':
    case 'newerThan':
    case 'inPeriod':
      return dates(TEXT);
    case 'hasAny':
      return ofList({ $in: [...new Set(test.value)] }, { $nin: [...new Set(test.value)] });
    case 'hasNone':
      return negated(ofList({ $in: [...new Set(test.value)] }, { $nin: [...new Set(test.value)] }));
    case 'hasAll':
      return ofList({ $all: [...new Set(test.value)] }, { $not: { $all: [...new Set(test.value)] } });
    case 'sizeGte':
      return is(LIST, LIST, false);
  }
};

const LIST = { $type: 'array' };
const NO_LIST = { $not: LIST };
/** Every text is at or above the empty one; numbers are never compared with it. */
const TEXT = { $gte: '' };
const NUMBER = { $type: 'number' };
const OPPOSITES = { lt: '$gte', lte: '$gt', gt: '$lte', gte: '$lt' } as const;
