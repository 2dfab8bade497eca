import type { Decision } from '@app/kernel';
import { DEVICES_MAX, DeviceNotFoundError, TooManyDevicesError } from './contact.errors';
import type { ContactEvent, DeviceDetails } from './contact.events';
import type { Contact } from './contact.state';
import { registered, type OnContact } from './decision-basics';

export type RegisterDevice = OnContact &
  Readonly<{ type: 'RegisterDevice'; deviceId: string; platform: string; device: DeviceDetails }>;
export type RemoveDevice = OnContact & Readonly<{ type: 'RemoveDevice'; deviceId: string }>;

type DeviceAnswer = { deviceId: string };

export const decideRegisterDevice = (
  { contactId, now, deviceId, platform, device }: RegisterDevice,
  contact: Contact,
): Decision<ContactEvent, DeviceAnswer> => {
  if (registered(contact).devices.size >= DEVICES_MAX) throw new TooManyDevicesError();
  const pushable = device.pushToken !== undefined;
  return {
    events: [
      {
        type: 'contacts.DeviceRegistered.v1',
        data: { contactId, occurredAt: now, deviceId, platform, pushable, device },
      },
    ],
    answer: { deviceId },
  };
};

export const decideRemoveDevice = (
  { contactId, now, deviceId }: RemoveDevice,
  contact: Contact,
): Decision<ContactEvent, DeviceAnswer> => {
  if (!registered(contact).devices.has(deviceId)) throw new DeviceNotFoundError();
  return {
    events: [{ type: 'contacts.DeviceRemoved.v1', data: { contactId, occurredAt: now, deviceId } }],
    answer: { deviceId },
  };
};
