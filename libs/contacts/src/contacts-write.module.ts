import { Module } from '@nestjs/common';
import { ChangeContactDetailsHandler } from './application/change-contact-details/change-contact-details.handler';
import { CheckInHandler } from './application/check-in/check-in.handler';
import { ContactDecisions } from './application/contact-decisions';
import { EmailClaimer } from './application/email-claims/email-claimer';
import { EmailClaims } from './application/email-claims/email-claims.port';
import { EmailHash } from './application/email-claims/email-hash';
import { MongoEmailClaims } from './application/email-claims/mongo.email-claims';
import { CancelErasureHandler, EraseContactHandler } from './application/erasure/erase-contact.handlers';
import { ErasureBackground } from './application/erasure/erasure-background';
import { ErasureProcess } from './application/erasure/erasure-process';
import { CoalescedPurge, ErasurePurge } from './application/erasure/erasure-purge';
import { SuppressionTokens } from './application/erasure/suppression-tokens';
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
import {
  ObjectToProfilingHandler,
  RestrictProcessingHandler,
} from './application/subject-rights/subject-rights.handlers';
import { DueErasures } from './automation/mongo.due-erasures';
import { DuePoints } from './automation/mongo.due-points';
import { ErasureTakeUp } from './automation/when-process-starts-then-take-up-erasures';
import { ContactCommandsController } from './http/contact.commands.controller';
import { ErasureCommandsController } from './http/erasure.commands.controller';
import { PointsCommandsController } from './http/points.commands.controller';
import { ProgrammeController } from './http/programme.controller';
import { DocumentsPurger } from './read-models/erasures/documents.purger';
import { Suppressions } from './read-models/suppressions/suppressions';

const emailClaims = { provide: EmailClaims, useClass: MongoEmailClaims };

/** What carries erasures out: in the api behind its answers, in the projector for whatever is left. */
const erasing = [
  EmailHash,
  ErasureProcess,
  Suppressions,
  SuppressionTokens,
  DocumentsPurger,
  {
    provide: ErasurePurge,
    useFactory: (documents: DocumentsPurger) => new CoalescedPurge([documents]),
    inject: [DocumentsPurger],
  },
];

/** Commands on contacts, and the programme they earn by; for the api. */
@Module({
  controllers: [
    ContactCommandsController,
    ErasureCommandsController,
    PointsCommandsController,
    ProgrammeController,
  ],
  providers: [
    ContactDecisions,
    CurrentProgramme,
    EmailClaimer,
    DueErasures,
    ErasureBackground,
    ErasureTakeUp,
    ...erasing,
    emailClaims,
    CancelErasureHandler,
    ChangeContactDetailsHandler,
    ChangeProgrammeHandler,
    CheckInHandler,
    CreditPointsHandler,
    DebitPointsHandler,
    EraseContactHandler,
    GetProgrammeHandler,
    ObjectToProfilingHandler,
    RecordPurchaseHandler,
    RegisterContactHandler,
    RegisterDeviceHandler,
    RemoveDeviceHandler,
    RestrictProcessingHandler,
    ReturnPurchaseHandler,
    ReversePointsHandler,
    SetConsentHandler,
  ],
  exports: [Suppressions],
})
export class ContactsWriteModule {}

/** What the automations work with; for the projector. */
@Module({
  providers: [ContactDecisions, DueErasures, DuePoints, EmailClaimer, emailClaims, ...erasing],
  exports: [ContactDecisions, DueErasures, DuePoints, EmailClaimer, ErasureProcess],
})
export class ContactsAutomationModule {}
