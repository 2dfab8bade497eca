import { Body, Controller, Delete, Param, Patch, Post, Put, type PipeTransform } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { Access, Context, InvalidInputProblem, Location, newEntityId, rules, UuidParam } from '@app/http';
import type { CommandContext, Outcome } from '@app/kernel';
import { ChangeContactDetailsCommand } from '../application/change-contact-details/change-contact-details.command';
import {
  RegisterDeviceCommand,
  RemoveDeviceCommand,
} from '../application/manage-devices/manage-devices.commands';
import { RegisterContactCommand } from '../application/register-contact/register-contact.command';
import { SetConsentCommand } from '../application/set-consent/set-consent.command';
import type { ProfilePatch } from '../domain/contact.events';
import {
  ChangeContactDto,
  RegisterContactDto,
  RegisterDeviceDto,
  SetConsentDto,
} from './contact-commands.dto';

const COMMAND = { roles: ['operator'], action: 'contact.command' } as const;

const purposePipe: PipeTransform<unknown, string> = {
  transform: (value) => {
    if (rules.isSlug(value)) return value;
    throw new InvalidInputProblem([
      { pointer: '/purpose', in: 'path', code: rules.slug.code, detail: rules.slug.detail },
    ]);
  },
};

/** Who a contact is, and how it may be reached. */
@ApiTags('contacts')
@Controller('contacts')
export class ContactCommandsController {
  constructor(private readonly commands: CommandBus) {}

  @Post()
  @ApiOperation({ summary: 'Register a contact' })
  @Access({ ...COMMAND, command: 'RegisterContact' })
  @Location('/v1/contacts/:contactId')
  register(
    @Body() { contactId, ...registration }: RegisterContactDto,
    @Context() context: CommandContext,
  ): Promise<Outcome<{ contactId: string }>> {
    const id = contactId ?? newEntityId(context, 'contact');
    return this.commands.execute(new RegisterContactCommand(id, 'dashboard', registration, context));
  }

  @Patch(':contactId')
  @ApiOperation({
    summary: 'Change fields of the profile',
    description: 'The profile is a merge patch (RFC 7396).',
  })
  @Access({ ...COMMAND, command: 'ChangeContactDetails' })
  change(
    @UuidParam('contactId') contactId: string,
    @Body() { profile }: ChangeContactDto,
    @Context() context: CommandContext,
  ): Promise<Outcome<{ contactId: string }>> {
    return this.commands.execute(
      new ChangeContactDetailsCommand(contactId, { ...profile } as ProfilePatch, context),
    );
  }

  @Put(':contactId/consents/:purpose')
  @ApiOperation({ summary: 'Give or withdraw a consent' })
  @Access({ roles: ['operator'], action: 'consent.change', command: 'SetConsent' })
  setConsent(
    @UuidParam('contactId') contactId: string,
    @Param('purpose', purposePipe) purpose: string,
    @Body() consent: SetConsentDto,
    @Context() context: CommandContext,
  ): Promise<Outcome<{ purpose: string; granted: boolean }>> {
    return this.commands.execute(new SetConsentCommand(contactId, { purpose, ...consent }, context));
  }

  @Post(':contactId/devices')
  @ApiOperation({ summary: 'Register a device' })
  @Access({ ...COMMAND, command: 'RegisterDevice' })
  registerDevice(
    @UuidParam('contactId') contactId: string,
    @Body() device: RegisterDeviceDto,
    @Context() context: CommandContext,
  ): Promise<Outcome<{ deviceId: string }>> {
    return this.commands.execute(new RegisterDeviceCommand(contactId, { ...device }, context));
  }

  @Delete(':contactId/devices/:deviceId')
  @ApiOperation({ summary: 'Remove a device' })
  @Access({ ...COMMAND, command: 'RemoveDevice' })
  removeDevice(
    @UuidParam('contactId') contactId: string,
    @UuidParam('deviceId') deviceId: string,
    @Context() context: CommandContext,
  ): Promise<Outcome<{ deviceId: string }>> {
    return this.commands.execute(new RemoveDeviceCommand(contactId, deviceId, context));
  }
}
