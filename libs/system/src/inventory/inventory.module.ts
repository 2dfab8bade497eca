import { Controller, Get, Module } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { Access } from '@app/http';
import { personalDataInventory } from '../contexts';
import type { InventoryItem } from './inventory';

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
  @Access({ roles: ['operator', 'analyst', 'auditor'], action: 'log.read', unlogged: true })
  inventory(): Readonly<{ items: readonly InventoryItem[] }> {
    return { items: personalDataInventory };
  }
}

/** The inventory of personal data, for the api. */
@Module({ controllers: [InventoryController] })
export class InventoryModule {}
