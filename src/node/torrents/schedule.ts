/**
 * The bandwidth schedule: at which times of the week the alternative limits hold.
 *
 * Times are those of the machine's time zone. A span that ends before it begins goes on past midnight, and belongs to the day on which it begins; one that begins when it ends lasts all day.
 * @module
 */

/** Days as settings name them, Sunday first, as Date counts. */
export const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;

/** A weekly span. */
export interface WeeklySpan {
  /** Names of WEEKDAYS. */
  readonly days: readonly string[];
  /** "HH:MM" */
  readonly from: string;
  readonly to: string;
}

/** True while the span holds. @param now in the zone that counts. */
export function isWithin(span: WeeklySpan, now: Date): boolean {
  const [from, to] = [minutesOf(span.from), minutesOf(span.to)];
  const minute = now.getHours() * 60 + now.getMinutes();
  const isDay = (day: number): boolean => span.days.includes(WEEKDAYS[(day + 7) % 7]!);
  const today = now.getDay();
  if (from === to) return isDay(today);
  if (from < to) return isDay(today) && minute >= from && minute < to;
  return (isDay(today) && minute >= from) || (isDay(today - 1) && minute < to);
}

function minutesOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return hours * 60 + minutes;
}
