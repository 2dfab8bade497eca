import { Controller, Get, Module } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProperty, ApiTags } from '@nestjs/swagger';
import { Access } from '@app/http';
import { personalDataInventory } from '../contexts';
import type { InventoryItem } from './inventory';

class InventoryItemShape {
  @ApiProperty({ type: 'string', enum: ['event', 'readModel', 'working'] }) readonly kind!: string;
  @ApiProperty({ type: 'string', description: 'Of the event type or the collection.' })
  readonly name!: string;
  @ApiProperty({ type: 'string' }) readonly field!: string;
  @ApiProperty({ type: 'string', example: 'personal(profile)' }) readonly mark!: string;
  @ApiProperty({ type: 'string', enum: ['clear', 'sealed'] }) readonly stored!: string;
  @ApiProperty({ type: 'string', enum: ['personal', 'retained'], required: false }) readonly key?: string;
  @ApiProperty({ type: 'array', items: { type: 'string' } }) readonly holds!: readonly string[];
}

class InventoryShape {
  @ApiProperty({ type: () => InventoryItemShape, isArray: true }) readonly items!: InventoryItemShape[];
}

@ApiTags('personal data')
@Controller('personal-data')
class InventoryController {
  @Get('inventory')
  @ApiOperation({
    summary: 'Every field that is stored, with its mark',
    description:
      '`mark` is `none`, `personal(…)` or `accounting`; `stored` says whether the field is readable in its store or sealed, and ' +
      '`key` whose destruction ends a sealed one. Made of the marks that the code itself works by.',
  })
  @ApiOkResponse({ type: InventoryShape, description: 'All fields.' })
  @Access({ roles: ['operator', 'analyst', 'auditor'], action: 'log.read', unlogged: true })
  inventory(): Readonly<{ items: readonly InventoryItem[] }> {
    return { items: personalDataInventory };
  }
}

/** The inventory of personal data, for the api. */
@Module({ controllers: [InventoryController] })
export class InventoryModule {}
