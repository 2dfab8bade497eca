import { Module } from '@nestjs/common';
import { AutomationCounts } from './application/automation-counts.port';
import { AutomationLimits } from './application/automation-limits';
import {
  ChangeAutomationHandler,
  CreateAutomationHandler,
  DeleteAutomationHandler,
} from './application/automation.handlers';
import { AutomationsController } from './http/automations.controller';
import { GetAutomationHandler, ListAutomationsHandler } from './read-models/automations.handlers';
import { AutomationReads } from './read-models/mongo.automation-reads';
import { StoredAutomationCounts } from './stored.automation-counts';

/** Automations on memberships, for the api. */
@Module({
  controllers: [AutomationsController],
  providers: [
    AutomationReads,
    AutomationLimits,
    { provide: AutomationCounts, useClass: StoredAutomationCounts },
    CreateAutomationHandler,
    ChangeAutomationHandler,
    DeleteAutomationHandler,
    GetAutomationHandler,
    ListAutomationsHandler,
  ],
})
export class AutomationsModule {}
