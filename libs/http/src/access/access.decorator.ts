import { SetMetadata } from '@nestjs/common';
import type { Role } from '@app/kernel';

/** Who may call a route, and what it is called in the privacy log. */
export type AccessRule = Readonly<{
  /** Roles that may call it; `admin` always may. Empty: admin only. */
  roles: readonly Role[];
  /** `contact.view`, `contact.command`, …; see the API's description of the privacy log. */
  action: string;
  /** For commands: their name, such as `CreditPoints`. */
  command?: string;
  /** Shows nothing of anybody and can be had again and again: leaves a record only where it is denied. */
  unlogged?: true;
  /** Names of the fields that are shown by an answer that is not JSON, of which the record is there before it is. */
  shows?: readonly string[];
}>;

export const ACCESS_RULE = 'regulars:access';
export const PUBLIC_ROUTE = 'regulars:public';

/** Declares who may call a route. Every route carries this or `@Public()`, or the process does not start. */
export const Access = (rule: AccessRule): MethodDecorator => SetMetadata(ACCESS_RULE, rule);

/** Declares that a route needs no key. */
export const Public = (): MethodDecorator => SetMetadata(PUBLIC_ROUTE, true);
