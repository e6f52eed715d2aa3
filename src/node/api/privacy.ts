/**
 * The part of the API that is about what is revealed to whom: apart, so that nothing else is loaded for it.
 * @module
 */
export { defaultHome, isOffline } from '../config.ts';
export { type Mechanism, privacyPicture } from '../privacy.ts';
export { isPrivacySwitch, PRIVACY_SWITCHES, setPrivacy } from '../privacy-settings.ts';
