import { ApiProperty } from '@nestjs/swagger';

const HASH = { type: 'string', format: 'byte', description: '32 bytes.' } as const;
const HASHES = { type: 'array', items: { type: 'string', format: 'byte' } } as const;
const UUID = { type: 'string', format: 'uuid' } as const;
const COUNT = { type: 'integer', minimum: 0 } as const;
const left = { required: false } as const;

export class EntryActorShape {
  @ApiProperty({ type: 'string', description: 'Of an API key its id, of an automation its name.' })
  readonly id!: string;
  @ApiProperty({ type: 'string', enum: ['operator', 'analyst', 'auditor', 'admin', 'system'] })
  readonly role!: string;
  @ApiProperty({ type: 'string', description: 'How the actor was authenticated.', example: 'api-key' })
  readonly method!: string;
}

export class PrivacyEntryShape {
  @ApiProperty({ ...COUNT, description: 'Place in the log, from 0 on.' }) readonly index!: number;
  @ApiProperty(UUID) readonly entryId!: string;
  @ApiProperty({ type: 'string', format: 'date-time' }) readonly at!: string;
  @ApiProperty({ type: () => EntryActorShape }) readonly actor!: EntryActorShape;
  @ApiProperty({ type: 'string', example: 'contact.view' }) readonly action!: string;
  @ApiProperty({ type: 'string', ...left, example: 'CreditPoints' }) readonly command?: string;
  @ApiProperty({ type: 'string', ...left }) readonly purpose?: string;
  @ApiProperty({ type: 'string', enum: ['allowed', 'denied', 'failed'] }) readonly outcome!: string;
  @ApiProperty({ type: 'string', ...left }) readonly onBehalfOf?: string;
  @ApiProperty({ type: 'array', items: UUID, maxItems: 100, description: 'Contacts; the first 100.' })
  readonly subjects!: readonly string[];
  @ApiProperty(COUNT) readonly subjectCount!: number;
  @ApiProperty({
    ...HASH,
    ...left,
    description: 'Of lists: SHA-256 over the ids of all subjects, ascending.',
  })
  readonly subjectsHash?: string;
  @ApiProperty({ type: 'array', items: { type: 'string' }, description: 'Names of fields, never values.' })
  readonly fields!: readonly string[];
  @ApiProperty({ type: 'string', ...left, description: 'Of lists: tells equal filters from others.' })
  readonly query?: string;
  @ApiProperty({ ...COUNT, ...left, description: 'Of lists: how many rows were shown.' })
  readonly rows?: number;
  @ApiProperty({ type: 'string' }) readonly correlationId!: string;
  @ApiProperty({ type: 'string', ...left, example: '203.0.113.0/24' }) readonly network?: string;
  @ApiProperty({ ...UUID, ...left, description: 'Of a command: its last event.' }) readonly eventId?: string;
  @ApiProperty({ ...HASH, description: 'RFC 9162, over the RFC 8785 form of all but `index` and this.' })
  readonly leafHash!: string;
}

export class EntryPageShape {
  @ApiProperty({ type: () => PrivacyEntryShape, isArray: true }) readonly items!: PrivacyEntryShape[];
  @ApiProperty({ type: 'string', nullable: true }) readonly nextCursor!: string | null;
  @ApiProperty({ type: 'string' }) readonly asOfPosition!: string;
}

export class InclusionProofShape {
  @ApiProperty(COUNT) readonly index!: number;
  @ApiProperty(COUNT) readonly size!: number;
  @ApiProperty(HASH) readonly leafHash!: string;
  @ApiProperty(HASHES) readonly hashes!: readonly string[];
  @ApiProperty(HASH) readonly rootHash!: string;
}

export class ConsistencyProofShape {
  @ApiProperty(COUNT) readonly from!: number;
  @ApiProperty(COUNT) readonly to!: number;
  @ApiProperty(HASHES) readonly hashes!: readonly string[];
  @ApiProperty(HASH) readonly fromRoot!: string;
  @ApiProperty(HASH) readonly toRoot!: string;
}

export class SigningKeyShape {
  @ApiProperty({ type: 'integer', minimum: 1 }) readonly keyNumber!: number;
  @ApiProperty(HASH) readonly publicKey!: string;
  @ApiProperty({ type: 'integer' }) readonly revision!: number;
  @ApiProperty({ type: 'string' }) readonly position!: string;
}
