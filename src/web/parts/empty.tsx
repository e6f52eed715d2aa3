/**
 * What a page says while it has nothing to show: what will be here, and how to get it here.
 * @module
 */
import type { ReactNode } from 'react';
import { Icon, type IconName } from './icon.tsx';

export function Empty({
  icon,
  title,
  children,
}: {
  readonly icon: IconName;
  readonly title: string;
  readonly children?: ReactNode;
}) {
  return (
    <div className="empty">
      <Icon name={icon} />
      <h2>{title}</h2>
      {children}
    </div>
  );
}
