import { Global, Module } from '@nestjs/common';
import { Authenticator } from '@app/http';
import { AdminKeyKeeper } from './application/admin-key/ensure-admin-key';
import { KeyDirectory } from './application/authenticate/key-directory';
import { ListApiKeysHandler } from './application/list-keys/list-keys.handler';
import {
  CreateApiKeyHandler,
  RevokeApiKeyHandler,
  RotateApiKeyHandler,
} from './application/manage-keys/manage-keys.handlers';
import { ApiKeysController } from './http/api-keys.controller';

/** API keys: their routes, and the Authenticator that every other route is guarded by. Global for that reason. */
@Global()
@Module({
  controllers: [ApiKeysController],
  providers: [
    KeyDirectory,
    { provide: Authenticator, useExisting: KeyDirectory },
    AdminKeyKeeper,
    CreateApiKeyHandler,
    RotateApiKeyHandler,
    RevokeApiKeyHandler,
    ListApiKeysHandler,
  ],
  exports: [Authenticator, AdminKeyKeeper],
})
export class AccessModule {}
