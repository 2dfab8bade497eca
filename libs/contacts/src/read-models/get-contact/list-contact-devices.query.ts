import { Query } from '@nestjs/cqrs';
import type { Reader } from '../../visibility';
import type { Device } from '../contacts/contact.document';

export type DevicePage = Readonly<{
  items: readonly Device[];
  /** A contact has few devices: they are one page. */
  nextCursor: null;
  asOfPosition: string;
}>;

/** A contact's devices, newest first. */
export class ListContactDevicesQuery extends Query<DevicePage> {
  constructor(
    readonly contactId: string,
    readonly reader: Reader,
    readonly minPosition?: bigint,
  ) {
    super();
  }
}
