import { Module } from '@nestjs/common';
import {
  ChangeAutomationHandler,
  CreateAutomationHandler,
  DeleteAutomationHandler,
} from './application/automation.handlers';
import { AutomationsController } from './http/automations.controller';
import { GetAutomationHandler, ListAutomationsHandler } from './read-models/automations.handlers';
import { AutomationReads } from './read-models/mongo.automation-reads';

/** Automations on memberships, for the api. */
@Module({
  controllers: [AutomationsController],
  providers: [
    AutomationReads,
    CreateAutomationHandler,
    ChangeAutomationHandler,
    DeleteAutomationHandler,
    GetAutomationHandler,
    ListAutomationsHandler,
  ],
})
export class AutomationsModule {}
