export { newMongoClient } from './mongo.client';
