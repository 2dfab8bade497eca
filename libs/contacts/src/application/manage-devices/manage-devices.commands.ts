import { Command } from '@nestjs/cqrs';
import type { CommandContext, Outcome } from '@app/kernel';
import type { DeviceDetails } from '../../domain/contact.events';

export type NewDevice = Readonly<{ platform: string }> & DeviceDetails;

/** Adds a device to a contact, under a new id. */
export class RegisterDeviceCommand extends Command<Outcome<{ deviceId: string }>> {
  constructor(
    readonly contactId: string,
    readonly device: NewDevice,
    readonly context: CommandContext,
  ) {
    super();
  }
}

export class RemoveDeviceCommand extends Command<Outcome<{ deviceId: string }>> {
  constructor(
    readonly contactId: string,
    readonly deviceId: string,
    readonly context: CommandContext,
  ) {
    super();
  }
}
