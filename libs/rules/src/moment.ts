import { dateAt, type Calendar } from './calendar';
import type { WeekDay } from './rule';

/** An instant as a rule sees it: with the date and the calendar of its time zone. */
export class Moment implements Calendar {
  private date: string | undefined;

  constructor(
    readonly now: number,
    private readonly calendar: Calendar,
  ) {}

  get tz(): string {
    return this.calendar.tz;
  }

  get weekStart(): WeekDay {
    return this.calendar.weekStart;
  }

  get today(): string {
    this.date ??= dateAt(this.now, this.tz);
    return this.date;
  }

  at(now: number): Moment {
    return new Moment(now, this.calendar);
  }
}

/** The first of some instants that is still to come. */
export const earliestAfter = (now: number, instants: Iterable<number | null>): number | null => {
  let earliest: number | null = null;
  for (const instant of instants) {
    if (instant !== null && instant > now && (earliest === null || instant < earliest)) earliest = instant;
  }
  return earliest;
};
