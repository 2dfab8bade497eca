import { ApiProperty } from '@nestjs/swagger';
import { LEGAL_GROUNDS, type LegalGround } from '../domain/contact.events';

const UUID = { type: 'string', format: 'uuid' } as const;
const TIME = { type: 'string', format: 'date-time' } as const;
const COUNT = { type: 'integer', minimum: 0 } as const;
const GROUND: { type: 'string'; enum: string[] } = { type: 'string', enum: [...LEGAL_GROUNDS] };
const REVISION = { type: 'integer', description: 'Of the contact.' } as const;
const left = { required: false } as const;

class ErasureStep {
  @ApiProperty(UUID) readonly contactId!: string;
  @ApiProperty(UUID) readonly erasureId!: string;
  @ApiProperty(GROUND) readonly legalGround!: LegalGround;
  @ApiProperty(TIME) readonly requestedAt!: string;
  @ApiProperty(TIME) readonly executeAfter!: string;
}

export class ErasureAnswerShape extends ErasureStep {
  @ApiProperty({ type: 'string', enum: ['coolingOff', 'executing', 'cancelled'] }) readonly state!: string;
  @ApiProperty(REVISION) readonly revision!: number;
  @ApiProperty({ type: 'string' }) readonly position!: string;
}

export class DestroyedKeyShape {
  @ApiProperty({ type: 'string' }) readonly keyId!: string;
  @ApiProperty(TIME) readonly destroyedAt!: string;
}

export class ReceiptStoreShape {
  @ApiProperty({ type: 'string', example: 'documents' }) readonly store!: string;
  @ApiProperty({ ...COUNT, ...left, description: 'At stage `unreachable`.' }) readonly records?: number;
  @ApiProperty({ ...COUNT, ...left, description: 'At stage `purged`.' }) readonly before?: number;
  @ApiProperty({ ...COUNT, ...left, description: 'At stage `purged`.' }) readonly after?: number;
  @ApiProperty({ type: 'string', ...left, description: 'Bytes that nothing can overwrite, and until when.' })
  readonly remains?: string;
}

export class RetainedShape {
  @ApiProperty({ type: 'array', items: { type: 'string' } }) readonly fields!: readonly string[];
  @ApiProperty({ ...COUNT, ...left, description: 'At stage `purged`.' }) readonly values?: number;
  @ApiProperty({ type: 'string' }) readonly reason!: string;
  @ApiProperty(TIME) readonly until!: string;
}

export class ErasureReceiptShape {
  @ApiProperty(UUID) readonly contactId!: string;
  @ApiProperty(UUID) readonly erasureId!: string;
  @ApiProperty(GROUND) readonly legalGround!: LegalGround;
  @ApiProperty(TIME) readonly requestedAt!: string;
  @ApiProperty({ type: 'string', enum: ['unreachable', 'purged'] }) readonly stage!: string;
  @ApiProperty(TIME) readonly startedAt!: string;
  @ApiProperty(TIME) readonly unreachableAt!: string;
  @ApiProperty({ type: () => DestroyedKeyShape, isArray: true }) readonly keys!: DestroyedKeyShape[];
  @ApiProperty({ type: 'object', additionalProperties: COUNT, description: 'By pool.' })
  readonly pointsForfeited!: Readonly<Record<string, number>>;
  @ApiProperty({
    ...COUNT,
    ...left,
    description: 'Keyed tokens that imports and invitations know the person by; they stay.',
  })
  readonly suppressionTokens?: number;
  @ApiProperty({ type: () => ReceiptStoreShape, isArray: true }) readonly stores!: ReceiptStoreShape[];
  @ApiProperty({ ...TIME, ...left }) readonly purgedBy?: string;
  @ApiProperty({ ...TIME, ...left }) readonly purgedAt?: string;
  @ApiProperty({ type: () => RetainedShape, ...left }) readonly retained?: RetainedShape;
  @ApiProperty({ ...TIME, ...left }) readonly retainedDestroyedAt?: string;
  @ApiProperty({ type: 'string', format: 'byte', description: 'Ed25519, 32 bytes.' })
  readonly publicKey!: string;
  @ApiProperty({ type: 'string', format: 'byte', description: 'Over the RFC 8785 form of all the rest.' })
  readonly signature!: string;
}

export class ErasureShape extends ErasureStep {
  @ApiProperty({
    type: 'string',
    enum: ['coolingOff', 'executing', 'completed', 'partlyRetained', 'cancelled'],
  })
  readonly state!: string;
  @ApiProperty({ ...TIME, ...left }) readonly completedAt?: string;
  @ApiProperty({ type: () => ErasureReceiptShape, ...left }) readonly receipt?: ErasureReceiptShape;
  @ApiProperty({ type: 'string' }) readonly asOfPosition!: string;
}

export class RestrictionShape {
  @ApiProperty({ type: 'boolean' }) readonly processingRestricted!: boolean;
  @ApiProperty(REVISION) readonly revision!: number;
  @ApiProperty({ type: 'string' }) readonly position!: string;
}

export class ObjectionShape {
  @ApiProperty({ type: 'boolean' }) readonly profilingObjection!: boolean;
  @ApiProperty(REVISION) readonly revision!: number;
  @ApiProperty({ type: 'string' }) readonly position!: string;
}
