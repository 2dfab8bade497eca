import { startEmbeddedTestMongo } from '@app/testing';
import { segmentEngineSuite } from './segment-engine.suite';

segmentEngineSuite('the embedded document store', startEmbeddedTestMongo);
