import { foldText } from '@app/rules';
import type { Profile } from '../../domain/contact.events';
import { phoneDigits } from '../../phone-digits';

const TERMS_OF_NAMES_MAX = 20;
const TERM_LENGTH_MAX = 64;
const WORD_STARTS = /[\p{L}\p{N}]+/gu;
const PHONE_LIKE = /^[+(]?\d[\d\s().\-/]*$/;

/**
 * What a contact is found by when somebody types the beginning of it: each word of the names (`Anna-Lena` also by `Lena`),
 * the e-mail, and the digits of the phone number.
 */
export const searchTermsOf = ({ firstName, lastName, email, phone }: Profile): string[] => {
  const terms = new Set<string>();
  for (const name of [firstName, lastName]) {
    for (const word of wordsOf(name ?? '')) {
      for (const start of word.matchAll(WORD_STARTS)) {
        if (terms.size < TERMS_OF_NAMES_MAX)
          terms.add(word.slice(start.index, start.index + TERM_LENGTH_MAX));
      }
    }
  }
  if (email) terms.add(foldText(email));
  const digits = phone && phoneDigits(phone);
  if (digits) terms.add(digits);
  return [...terms];
};

/** The beginnings a search text asks for, all of which a contact has to have; a phone number is one, however it is spaced. */
export const searchPrefixesOf = (text: string): string[] => {
  const trimmed = text.trim();
  if (PHONE_LIKE.test(trimmed)) return [phoneDigits(trimmed)];
  return [...new Set(wordsOf(trimmed))];
};

const wordsOf = (text: string): string[] => foldText(text).split(/\s+/u).filter(Boolean);
