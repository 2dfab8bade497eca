import type { Cause, Interval } from '../membership/membership';
import { announcementOf } from './announcements';

const cause = (kind: Cause['kind'], position: string): Cause => ({
  kind,
  at: '2026-03-01T00:00:00.000Z',
  position,
});
const opened = (causeIn: Cause, version = 1): Interval => ({
  segmentId: 's1',
  version,
  from: causeIn.at,
  to: null,
  causeIn,
  causeOut: null,
});
const closed = (causeIn: Cause, causeOut: Cause): Interval => ({
  ...opened(causeIn),
  to: causeOut.at,
  causeOut,
});
const said = (...stays: Interval[]) => stays.map((stay, n) => announcementOf(stay, stays, n));
const event = cause('event', '5');
const edit = cause('definition', '9');

it('says who enters and who leaves', () => {
  expect(said(opened(event))).toEqual(['entered']);
  expect(said(closed(event, cause('clock', '7')))).toEqual(['left']);
  expect(said(closed(event, edit))).toEqual(['left']);
  expect(said(opened(edit, 2))).toEqual(['entered']);
});

it('says nothing of a first fill, nor of who stays in under a new version', () => {
  expect(said(opened(cause('initial', '3')))).toEqual([null]);
  expect(said(closed(event, edit), opened(edit, 2))).toEqual([null, null]);
});

it('tells a new version from who leaves at the very instant before', () => {
  expect(said(closed(event, cause('event', '8')), opened(edit, 2))).toEqual(['left', 'entered']);
});
