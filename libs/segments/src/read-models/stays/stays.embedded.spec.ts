import { startEmbeddedTestMongo } from '@app/testing';
import { staysSuite } from './stays.suite';

staysSuite('the embedded document store', startEmbeddedTestMongo);
