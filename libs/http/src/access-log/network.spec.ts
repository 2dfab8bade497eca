import fc from 'fast-check';
import { isIP } from 'node:net';
import { networkOf } from './network';

describe('the network of an address', () => {
  it.each([
    ['203.0.113.77', '203.0.113.0/24'],
    ['::ffff:203.0.113.77', '203.0.113.0/24'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1::/48'],
    ['2001:0db8:0001::1', '2001:db8:1::/48'],
    ['2001:db8::1', '2001:db8::/48'],
    ['2001:0:0:1::', '2001::/48'],
    ['::1', '::/48'],
    ['fe80::1%eth0', 'fe80::/48'],
    ['somewhere', undefined],
    ['', undefined],
  ])('of %s is %s', (address, network) => expect(networkOf(address)).toBe(network));

  it('is an address with nothing of the host in it, and that of itself', () =>
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (address) => {
        const network = networkOf(address);
        const [base = '', bits] = (network ?? '').split('/');
        expect(isIP(base)).toBe(bits === '24' ? 4 : 6);
        expect(networkOf(base)).toBe(network);
      }),
    ));
});
