import { Field, IsListOfValues, IsNested, IsOneOf, IsRecordOf, IsText } from '@app/http';
import type { CustomFieldValue, Gender } from '../domain/contact.events';
import * as fields from './profile.fields';

const GENDERS = ['female', 'male', 'other', 'unspecified'];
const NAME_CHARS_MAX = 100;
const CUSTOM_FIELDS_MAX = 50;
const TAGS_MAX = 50;

const given = { optional: true } as const;
const change = { optional: true, nullable: true } as const;

export class AddressDto {
  @IsText({ ...given, max: 200 }) readonly street?: string;
  @IsText({ ...given, max: 20 }) readonly postalCode?: string;
  @IsText({ ...given, max: 100 }) readonly city?: string;
  @Field(fields.country, given) readonly country?: string;
}

/** Who a contact is; every field may be left out. */
export class ProfileDto {
  @IsText({ ...given, max: NAME_CHARS_MAX }) readonly firstName?: string;
  @IsText({ ...given, max: NAME_CHARS_MAX }) readonly lastName?: string;

  @Field(fields.email, { ...given, description: 'Unique among contacts, compared without case.' })
  readonly email?: string;

  @Field(fields.phone, given) readonly phone?: string;
  @Field(fields.birthday, given) readonly birthday?: string;
  @IsOneOf(GENDERS, given) readonly gender?: Gender;
  @Field(fields.language, given) readonly language?: string;
  @IsNested(() => AddressDto, given) readonly address?: AddressDto;

  @IsRecordOf(fields.customField, { ...given, keys: fields.CUSTOM_FIELD_NAME, max: CUSTOM_FIELDS_MAX })
  readonly customFields?: Readonly<Record<string, CustomFieldValue>>;

  @IsListOfValues(fields.tag, { ...given, max: TAGS_MAX }) readonly tags?: readonly string[];
}

export class AddressChangeDto {
  @IsText({ ...change, max: 200 }) readonly street?: string | null;
  @IsText({ ...change, max: 20 }) readonly postalCode?: string | null;
  @IsText({ ...change, max: 100 }) readonly city?: string | null;
  @Field(fields.country, change) readonly country?: string | null;
}

/** The fields to change, as in RFC 7396: null removes, objects merge, arrays are replaced. */
export class ProfileChangeDto {
  @IsText({ ...change, max: NAME_CHARS_MAX }) readonly firstName?: string | null;
  @IsText({ ...change, max: NAME_CHARS_MAX }) readonly lastName?: string | null;

  @Field(fields.email, { ...change, description: 'Unique among contacts, compared without case.' })
  readonly email?: string | null;

  @Field(fields.phone, change) readonly phone?: string | null;
  @Field(fields.birthday, change) readonly birthday?: string | null;
  @IsOneOf(GENDERS, change) readonly gender?: Gender | null;
  @Field(fields.language, change) readonly language?: string | null;
  @IsNested(() => AddressChangeDto, change) readonly address?: AddressChangeDto | null;

  @IsRecordOf(fields.customFieldChange, { ...change, keys: fields.CUSTOM_FIELD_NAME, max: CUSTOM_FIELDS_MAX })
  readonly customFields?: Readonly<Record<string, CustomFieldValue | null>> | null;

  @IsListOfValues(fields.tag, { ...change, max: TAGS_MAX }) readonly tags?: readonly string[] | null;
}
