// Guest images: what the rest of the command line may use.

export {
	defaultImageFolder,
	type ImageFile,
	type ImageManifest,
	type ImageRequest,
	listImages,
	type ResolvedImages,
	resolveImages,
} from './cache.ts';
export { ImagesError } from './errors.ts';
export { createProgress, megabytes, type Progress, type ProgressOutput, silentProgress } from './progress.ts';
export { type PullOptions, type PullResult, pullDebian } from './pull.ts';
