import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { OpsError } from '../ops.errors';

/** One purchase as the file tells it. */
export type PurchaseLine = Readonly<{
  /** Its line in the file, from 1: identical lines are different purchases, so this is what tells them apart. */
  line: number;
  customer: string;
  /** `YYYY-MM-DD`. */
  date: string;
  quantity: number;
  /** Hundredths of the currency. */
  minor: number;
}>;

const DATE = /^(\d{4})(\d{2})(\d{2})$/;
const QUANTITY = /^\d{1,9}$/;
/** Digits, not a float: 11.77 has no exact binary fraction. 13 digits before the point stay within a safe integer. */
const VALUE = /^(\d{1,13})(?:\.(\d{1,2}))?$/;

/** Null for a blank line, and for a first line that names its columns. */
export const parsePurchaseLine = (text: string, line: number): PurchaseLine | null => {
  const columns = text.trim().split(/\s+/);
  const [customer, day, quantity, value] = columns;
  if (!customer) return null;
  const date = DATE.exec(day ?? '');
  if (line === 1 && !date) return null;
  const wrong = (what: string): OpsError => new OpsError(`Line ${line}: ${what}. Nothing was sent.`);
  if (columns.length !== 4)
    throw wrong(`expected customer, date, quantity and value, found ${columns.length} columns`);
  if (customer.length > 200) throw wrong('the customer is longer than 200 characters');
  if (!date || !isDay(`${date[1]}-${date[2]}-${date[3]}`)) throw wrong(`${day} is not a date as YYYYMMDD`);
  if (!QUANTITY.test(quantity!)) throw wrong(`${quantity} is not a quantity`);
  const amount = VALUE.exec(value!);
  if (!amount) throw wrong(`${value} is not an amount with at most two decimals`);
  return {
    line,
    customer,
    date: `${date[1]}-${date[2]}-${date[3]}`,
    quantity: Number(quantity),
    minor: Number(amount[1]) * 100 + Number((amount[2] ?? '').padEnd(2, '0')),
  };
};

const isDay = (date: string): boolean => {
  const instant = new Date(`${date}T00:00:00Z`);
  return !Number.isNaN(instant.getTime()) && instant.toISOString().startsWith(date);
};

/** The purchases of a file, one at a time, whatever its size and its line ends. */
export async function* readPurchases(file: string): AsyncIterable<PurchaseLine> {
  let line = 0;
  for await (const text of createInterface({ input: createReadStream(file, 'utf8'), crlfDelay: Infinity })) {
    line += 1;
    const purchase = parsePurchaseLine(text, line);
    if (purchase) yield purchase;
  }
}
