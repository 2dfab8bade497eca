import { Controller, Get, Param, Res } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ApiOperation, ApiParam, ApiProduces, ApiTags } from '@nestjs/swagger';
import { Access, HttpProblem, type HttpReply } from '@app/http';
import { parseTilePath, TILE_WIDTH } from '@app/transparency-log';
import { GetTileQuery } from '../read-models/prove-entries/tiles.query';

/** Whoever may read it may keep it: a tile that is full never changes, and a part of one is what it says for ever, too. */
const IMMUTABLE = 'private, max-age=31536000, immutable';
const SOON = 'private, max-age=3600';

/** The tree in pieces (c2sp.org/tlog-tiles). */
@ApiTags('privacy-log')
@Controller('privacy-log/tile')
export class TilesController {
  constructor(private readonly queries: QueryBus) {}

  @Get('*')
  @ApiOperation({
    summary:
      'A tile of hashes, `{L}/{N}[.p/{W}]`, or of entries, `entries/{N}[.p/{W}]` (c2sp.org/tlog-tiles)',
    description:
      'N in groups of three digits, all but the last with an x before it. An entry stands behind its length in two bytes.',
  })
  @ApiParam({ name: 'path', type: String, example: '0/x001/234.p/7' })
  @ApiProduces('application/octet-stream')
  @Access({ roles: ['auditor'], action: 'log.read', unlogged: true })
  async tile(@Param('*') path: string, @Res({ passthrough: true }) reply: HttpReply): Promise<Buffer> {
    const tile = parseTilePath(`tile/${path}`);
    const bytes = tile && (await this.queries.execute(new GetTileQuery(tile)));
    if (!bytes)
      throw new HttpProblem(404, 'privacy-log.no-such-tile', 'The log has no such tile, or not yet.');
    void reply
      .header('Content-Type', 'application/octet-stream')
      .header('Cache-Control', tile.width === TILE_WIDTH ? IMMUTABLE : SOON);
    return bytes;
  }
}
