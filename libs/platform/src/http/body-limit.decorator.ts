import { SetMetadata } from '@nestjs/common';

export const BODY_LIMIT = 'http:body-limit';

/** The most bytes that the body of a control-plane route may have, where that is more than the usual mebibyte. */
export const BodyLimit = (bytes: number): MethodDecorator => SetMetadata(BODY_LIMIT, bytes);
