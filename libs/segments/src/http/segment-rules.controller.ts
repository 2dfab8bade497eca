import { Body, Controller, Get, HttpCode, Post, Query } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { Access, CurrentActor, MinPosition, UuidParam } from '@app/http';
import type { Actor } from '@app/kernel';
import { ExplainQuery, type ExplainAnswer } from '../read-models/explain/explain.query';
import { PreviewQuery, type PreviewAnswer } from '../read-models/preview/preview.query';
import { ExplainDto, PreviewDto } from './segment-rules.dto';
import { askedOf } from './segment-stays.dto';

/** What rules find, and why. */
@ApiTags('segments')
@Controller('segments')
export class SegmentRulesController {
  constructor(private readonly queries: QueryBus) {}

  @Post('preview')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Try a rule',
    description:
      'Whom it would find, exactly, and how many each of its nodes would find alone. Writes nothing. What the linter finds does ' +
      'not keep a rule from being tried. Analysts see contacts without what says who they are.',
  })
  @Access({ roles: ['operator', 'analyst'], action: 'segment.view' })
  preview(
    @Body() body: PreviewDto,
    @CurrentActor() { role: reader }: Actor,
    @MinPosition() minPosition?: bigint,
  ): Promise<PreviewAnswer> {
    return this.queries.execute(new PreviewQuery({ ...body, reader, minPosition }));
  }

  @Get(':segmentId/explain/:contactId')
  @ApiOperation({
    summary: 'Why a contact is in a segment, or is not',
    description:
      'The rule as a tree, each node with its truth, what was looked at, and the events behind it.',
  })
  @Access({ roles: ['operator', 'auditor'], action: 'segment.view' })
  explain(
    @UuidParam('segmentId') segmentId: string,
    @UuidParam('contactId') contactId: string,
    @Query() { axis, ...moment }: ExplainDto,
    @CurrentActor() { role: reader }: Actor,
    @MinPosition() minPosition?: bigint,
  ): Promise<ExplainAnswer> {
    const asked = { ...askedOf(moment, minPosition), axis };
    return this.queries.execute(new ExplainQuery(segmentId, contactId, asked, reader));
  }
}
