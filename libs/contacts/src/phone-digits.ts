/** What two ways of writing a phone number have in common: `+43 (664) 1` and `0043 664-1` are the same digits. */
export const phoneDigits = (phone: string): string => phone.replace(/\D/g, '').replace(/^00/, '');
