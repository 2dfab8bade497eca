import type { Role } from '@app/kernel';
import { IsOneOf, IsRfc3339, IsText } from '@app/http';

const ROLES: readonly Role[] = ['operator', 'analyst', 'auditor', 'admin'];

export class CreateApiKeyDto {
  @IsText({
    max: 200,
    description: 'What the key is for; not the name of a person.',
    example: 'till in the main street',
  })
  readonly name!: string;

  @IsOneOf(ROLES)
  readonly role!: Role;

  @IsRfc3339({ optional: true, description: 'The key ends then; without it, when it is revoked.' })
  readonly expiresAt?: string;
}
