import { startEmbeddedTestMongo } from '@app/testing';
import { segmentsShownSuite } from './segments-shown.suite';

segmentsShownSuite('the embedded document store', startEmbeddedTestMongo);
