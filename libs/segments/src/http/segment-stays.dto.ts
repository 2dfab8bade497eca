import {
  Field,
  InvalidInputProblem,
  IsListOfValues,
  IsOneOf,
  IsRfc3339,
  IsText,
  PageQueryDto,
  parsePosition,
  rules,
} from '@app/http';
import type { AskedOf } from '../evaluation/shown-as-of';
import type { Axis } from '../read-models/stays/stays.queries';

const AXES: readonly Axis[] = ['recorded', 'occurred'];
const AS_OF = {
  optional: true,
  description: 'As it was then, from memberships as they took effect.',
};
const AS_OF_POSITION = {
  optional: true,
  description: 'Instead of `asOf`: as it was right behind the event at this position.',
};
const AXIS = {
  optional: true,
  description:
    'Of the past: `recorded`, who was in by what was known then, as it is kept; `occurred`, who was in by what is known now of ' +
    'when things happened and by what the segment means now, worked out anew for everybody but the erased.',
};

/** Checked for good by parsePosition. */
const position = {
  code: 'position',
  detail: 'must be a position that this API answered with',
  accepts: (value: unknown) => typeof value === 'string' && /^\d{1,19}$/.test(value),
  schema: { type: 'string', pattern: '^[0-9]{1,19}$' },
};

export class CountMembersDto {
  @IsRfc3339(AS_OF) readonly asOf?: string;
  @Field(position, AS_OF_POSITION) readonly asOfPosition?: string;
  @IsOneOf(AXES, AXIS) readonly axis: Axis = 'recorded';
}

export class ListMembersDto extends PageQueryDto {
  @IsRfc3339(AS_OF) readonly asOf?: string;
  @Field(position, AS_OF_POSITION) readonly asOfPosition?: string;
  @IsOneOf(AXES, AXIS) readonly axis: Axis = 'recorded';
}

export class ListChangesDto extends PageQueryDto {
  @IsRfc3339({ optional: true, description: 'Changes at this instant or later.' }) readonly from?: string;
  @IsRfc3339({ optional: true, description: 'Changes before this instant.' }) readonly to?: string;
}

export class MemberSeriesDto {
  @IsRfc3339({ description: 'The first point.' }) readonly from!: string;
  @IsRfc3339({ description: 'No point is later.' }) readonly to!: string;

  @Field(rules.duration, {
    optional: true,
    description: 'From point to point, on the UTC calendar; at most 1,000 points.',
    example: 'P1D',
  })
  readonly step: string = 'P1D';
}

export class OverlapDto {
  @IsListOfValues(rules.uuid, { min: 2, max: 5 }) readonly segmentIds!: string[];
}

export class TakeSnapshotDto {
  @IsText({ max: 200, example: 'Spring mailing' }) readonly name!: string;
  @IsRfc3339({ optional: true, description: 'Who was in then; now unless told.' }) readonly asOf?: string;
}

/** Throws a problem where both an instant and a position are given, or what is no position. */
export const askedOf = (
  { asOf, asOfPosition }: Pick<CountMembersDto, 'asOf' | 'asOfPosition'>,
  minPosition: bigint | undefined,
): AskedOf => {
  if (asOfPosition === undefined) return { asOf, minPosition };
  if (asOf === undefined) return { asOfPosition: parsePosition(asOfPosition, 'asOfPosition'), minPosition };
  throw new InvalidInputProblem([
    {
      pointer: '/asOfPosition',
      in: 'query',
      code: 'one-of',
      detail: 'must not be given together with asOf',
    },
  ]);
};

/** Throws a problem where one is given twice. */
export const distinctIds = ({ segmentIds }: OverlapDto): readonly string[] => {
  const twice = segmentIds.findIndex((id, n) => segmentIds.indexOf(id) !== n);
  if (twice < 0) return segmentIds;
  throw new InvalidInputProblem([
    { pointer: `/segmentIds/${twice}`, code: 'duplicate', detail: 'must not be given twice' },
  ]);
};
