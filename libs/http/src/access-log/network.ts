import { isIP } from 'node:net';

/** So much of an address as tells a network and not a person: /24 of IPv4, /48 of IPv6. Undefined for what is no address. */
export const networkOf = (address: string): string | undefined => {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
  switch (isIP(plain)) {
    case 4:
      return `${plain.slice(0, plain.lastIndexOf('.'))}.0/24`;
    case 6:
      return `${firstGroups(plain).join(':')}::/48`.replace(/^(0:)*0::/, '::');
    default:
      return undefined;
  }
};

/** The first three groups, without leading zeros; trailing groups of zero are left to the `::` behind them. */
const firstGroups = (address: string): readonly string[] => {
  const [head = '', tail] = address.split('::', 2);
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const groups =
    tail === undefined
      ? before
      : [...before, ...Array<string>(Math.max(0, 8 - before.length - after.length)).fill('0'), ...after];
  const first = groups.slice(0, 3).map((group) => parseInt(group, 16).toString(16));
  while (first.length > 1 && first.at(-1) === '0') first.pop();
  return first;
};
