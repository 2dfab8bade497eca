import { eventually } from './eventually';

type Answer = Readonly<{ status: number; body: Readonly<Record<string, unknown>> }>;

/** What is refused because the read models are not there yet, and may be asked again as it is. */
const BEHIND: readonly unknown[] = ['reads.behind', 'segments.behind'];

/**
 * Asks again, as Retry-After has clients do, where the read models did not get to what was waited for in the seconds that
 * a request may take: on a slow machine they need longer, and that is no failure.
 */
export const askedAgain = async <Told extends Answer>(ask: () => Promise<Told>): Promise<Told> => {
  let answer = await ask();
  await eventually('the read models have got there', async () => {
    if (answer.status !== 503 || !BEHIND.includes(answer.body['code'])) return true;
    answer = await ask();
    return false;
  });
  return answer;
};
