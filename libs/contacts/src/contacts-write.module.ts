import { Module } from '@nestjs/common';
import { ChangeContactDetailsHandler } from './application/change-contact-details/change-contact-details.handler';
import { CheckInHandler } from './application/check-in/check-in.handler';
import { ContactDecisions } from './application/contact-decisions';
import { EmailClaimer } from './application/email-claims/email-claimer';
import { EmailClaims } from './application/email-claims/email-claims.port';
import { EmailHash } from './application/email-claims/email-hash';
import { MongoEmailClaims } from './application/email-claims/mongo.email-claims';
import {
  RegisterDeviceHandler,
  RemoveDeviceHandler,
} from './application/manage-devices/manage-devices.handlers';
import {
  CreditPointsHandler,
  DebitPointsHandler,
  ReversePointsHandler,
} from './application/move-points/move-points.handlers';
import { CurrentProgramme } from './application/programme/current-programme';
import { ChangeProgrammeHandler, GetProgrammeHandler } from './application/programme/programme.handlers';
import {
  RecordPurchaseHandler,
  ReturnPurchaseHandler,
} from './application/record-purchase/record-purchase.handlers';
import { RegisterContactHandler } from './application/register-contact/register-contact.handler';
import { SetConsentHandler } from './application/set-consent/set-consent.handler';
import { DuePoints } from './automation/mongo.due-points';
import { ContactCommandsController } from './http/contact.commands.controller';
import { PointsCommandsController } from './http/points.commands.controller';
import { ProgrammeController } from './http/programme.controller';

const emailClaims = { provide: EmailClaims, useClass: MongoEmailClaims };

/** Commands on contacts, and the programme they earn by; for the api. */
@Module({
  controllers: [ContactCommandsController, PointsCommandsController, ProgrammeController],
  providers: [
    ContactDecisions,
    CurrentProgramme,
    EmailClaimer,
    EmailHash,
    emailClaims,
    ChangeContactDetailsHandler,
    ChangeProgrammeHandler,
    CheckInHandler,
    CreditPointsHandler,
    DebitPointsHandler,
    GetProgrammeHandler,
    RecordPurchaseHandler,
    RegisterContactHandler,
    RegisterDeviceHandler,
    RemoveDeviceHandler,
    ReturnPurchaseHandler,
    ReversePointsHandler,
    SetConsentHandler,
  ],
})
export class ContactsWriteModule {}

/** What the automations work with; for the projector. */
@Module({
  providers: [ContactDecisions, DuePoints, EmailClaimer, emailClaims],
  exports: [ContactDecisions, DuePoints, EmailClaimer],
})
export class ContactsAutomationModule {}
