import { randomUUID } from 'node:crypto';
import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { Outcome } from '@app/kernel';
import { ContactDecisions } from '../contact-decisions';
import { RegisterDeviceCommand, RemoveDeviceCommand } from './manage-devices.commands';

@CommandHandler(RegisterDeviceCommand)
export class RegisterDeviceHandler implements ICommandHandler<RegisterDeviceCommand> {
  constructor(private readonly decisions: ContactDecisions) {}

  execute({
    contactId,
    device: sent,
    context,
  }: RegisterDeviceCommand): Promise<Outcome<{ deviceId: string }>> {
    const { platform, ...device } = sent;
    return this.decisions.run(
      { type: 'RegisterDevice', contactId, now: context.now, deviceId: randomUUID(), platform, device },
      context,
      sent,
    );
  }
}

@CommandHandler(RemoveDeviceCommand)
export class RemoveDeviceHandler implements ICommandHandler<RemoveDeviceCommand> {
  constructor(private readonly decisions: ContactDecisions) {}

  execute({ contactId, deviceId, context }: RemoveDeviceCommand): Promise<Outcome<{ deviceId: string }>> {
    return this.decisions.run({ type: 'RemoveDevice', contactId, now: context.now, deviceId }, context, {
      deviceId,
    });
  }
}
