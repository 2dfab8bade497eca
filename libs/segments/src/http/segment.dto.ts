import {
  InvalidInputProblem,
  IsFlag,
  IsJsonObject,
  IsOneOf,
  IsRfc3339,
  IsText,
  PageQueryDto,
} from '@app/http';
import type { Meaning } from '../application/manage-segments/manage-segment.command';

const NAME = { max: 200, example: 'Women of Vienna' };
const RULE = {
  optional: true,
  description: 'A node, or `{ "dsl": 1, "tz": …, "root": … }` around one.',
  example: { attr: 'profile.address.city', op: 'eq', value: 'Wien' },
};

export class DefineSegmentDto {
  @IsText(NAME) readonly name!: string;
  @IsText({ max: 2000, optional: true }) readonly description?: string;
  @IsJsonObject(RULE) readonly rule?: object;

  @IsText({ max: 64, optional: true, description: 'Instead of a rule: see GET /segment-templates.' })
  readonly template?: string;

  @IsJsonObject({ optional: true, description: 'Of the template.', example: { days: 30 } })
  readonly params?: object;

  @IsFlag({ optional: true, description: 'Instead of a rule: members are put in one by one.' })
  readonly manual?: boolean;
}

export class ChangeSegmentDto {
  @IsText({ ...NAME, optional: true }) readonly name?: string;
  @IsJsonObject({ ...RULE, description: 'Another rule makes a new version.' }) readonly rule?: object;
  @IsFlag({ optional: true, description: 'false: everybody leaves.' }) readonly active?: boolean;
}

export class ListSegmentsDto extends PageQueryDto {
  @IsFlag({ optional: true, description: 'Answer with the total, too.' })
  readonly count: boolean = false;
}

export class AssignSegmentDto {
  @IsOneOf(['include', 'exclude'], { description: 'exclude goes before include, include before the rule.' })
  readonly mode!: 'include' | 'exclude';

  @IsText({ max: 500, optional: true, description: 'For people; kept sealed.' })
  readonly reason?: string;

  @IsRfc3339({ optional: true, description: 'From this instant on the rule decides again.' })
  readonly expiresAt?: string;
}

/** Throws a problem unless exactly one of rule, template and manual says who is meant. */
export const meaningOf = ({ rule, template, params, manual }: DefineSegmentDto): Meaning => {
  const given = [rule, template, manual].filter((way) => way !== undefined).length;
  if (given !== 1) {
    throw problem('', 'one-of', 'must have exactly one of rule, template and manual');
  }
  if (manual === false) throw problem('/manual', 'one-of', 'must be true or left out');
  if (params !== undefined && template === undefined) {
    throw problem('/params', 'unknown-field', 'is for templates only');
  }
  if (rule !== undefined) return { rule };
  return template !== undefined ? { template, params: params ?? {} } : { manual: true };
};

const problem = (pointer: string, code: string, detail: string): InvalidInputProblem =>
  new InvalidInputProblem([{ pointer, code, detail }]);
