import { ApiProperty } from '@nestjs/swagger';
import type { Role } from '@app/kernel';

const ROLE = { type: 'string', enum: ['operator', 'analyst', 'auditor', 'admin'] } as const;
const TIME = { type: 'string', format: 'date-time', nullable: true } as const;

export class ApiKeyRowShape {
  @ApiProperty({ type: 'string', format: 'uuid' }) readonly id!: string;
  @ApiProperty({ type: 'string' }) readonly name!: string;
  @ApiProperty(ROLE) readonly role!: Role;
  @ApiProperty({ type: 'string', format: 'date-time' }) readonly createdAt!: string;
  @ApiProperty(TIME) readonly rotatedAt!: string | null;
  @ApiProperty(TIME) readonly expiresAt!: string | null;
  @ApiProperty(TIME) readonly revokedAt!: string | null;
  @ApiProperty(TIME) readonly lastUsedAt!: string | null;
}

export class ApiKeyPageShape {
  @ApiProperty({ type: () => ApiKeyRowShape, isArray: true }) readonly items!: ApiKeyRowShape[];
  @ApiProperty({ type: 'string', nullable: true }) readonly nextCursor!: string | null;
  @ApiProperty({ type: 'string' }) readonly asOfPosition!: string;
}

export class NewApiKeyShape {
  @ApiProperty({ type: 'string', format: 'uuid' }) readonly id!: string;
  @ApiProperty({ type: 'string' }) readonly name!: string;
  @ApiProperty(ROLE) readonly role!: Role;
  @ApiProperty({ type: 'string', format: 'date-time', required: false }) readonly expiresAt?: string;
  @ApiProperty({
    type: 'string',
    nullable: true,
    description: 'Shown once. Null on the answer to a repeated command: rotate the key if it was lost.',
  })
  readonly key!: string | null;
  @ApiProperty({ type: 'integer' }) readonly revision!: number;
  @ApiProperty({ type: 'string' }) readonly position!: string;
}
