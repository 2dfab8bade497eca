import { IsJsonObject, IsOneOf, IsRfc3339, IsUuid, IsWholeNumber } from '@app/http';
import { CountMembersDto } from './segment-stays.dto';

const SAMPLE_MAX = 100;
const SAMPLE_DEFAULT = 10;

export class PreviewDto {
  @IsJsonObject({
    description: 'A node, or `{ "dsl": 1, "tz": …, "root": … }` around one.',
    example: { attr: 'profile.address.city', op: 'eq', value: 'Wien' },
  })
  readonly rule!: object;

  @IsRfc3339({ optional: true, description: 'Try it on the contacts as they were at this instant.' })
  readonly asOf?: string;

  @IsOneOf(['occurred', 'recorded'], {
    optional: true,
    description:
      'Of a past instant: all that is known now and had happened by then, or what had been recorded by then. Segments that the ' +
      'rule refers to are worked out anew on `occurred`, and as they were on `recorded`.',
  })
  readonly axis: 'occurred' | 'recorded' = 'occurred';

  @IsUuid({ optional: true, description: 'A segment whose members are compared with whom the rule finds.' })
  readonly compareTo?: string;

  @IsWholeNumber({
    min: 0,
    max: SAMPLE_MAX,
    optional: true,
    description: `How many contacts to show; ${SAMPLE_DEFAULT} unless told.`,
  })
  readonly sample: number = SAMPLE_DEFAULT;
}

export class ExplainDto extends CountMembersDto {
  @IsOneOf(['recorded', 'occurred'], {
    optional: true,
    description:
      'Of the past: what was known then; or what is known now and had happened by then, by what the segment means now, with ' +
      'segments that it refers to worked out anew.',
  })
  override readonly axis: 'recorded' | 'occurred' = 'recorded';
}
