//! `x-sns.*.Services`: which services publish to a topic, and the variables in which they find its ARN.

use super::Family;
use super::build::Builder;
use crate::base::Code;
use crate::extensions::{Placed, TopicRef};

impl Builder<'_> {
    /// Gives each publisher the right to publish and the variables; needs the containers with their environment.
    pub(super) fn publishers(&mut self, families: &mut [Family]) {
        let extensions = self.extensions;
        for (key, users) in &extensions.publishers {
            for user in users {
                self.known_family(&user.service, families);
                let name = &user.service.value;
                let place = (user.service.place.clone(), user.service.path.clone());
                let topic = TopicRef::Named(Placed { value: key.clone(), place: place.0, path: place.1 });
                let Some(topic) = self.topic(&topic) else { continue };
                let holds = |family: &Family| family.containers.iter().any(|container| container.name == *name);
                for family in families.iter_mut().filter(|family| family.name == *name || holds(family)) {
                    if !family.publishes.contains(&topic) {
                        family.publishes.push(topic.clone());
                    }
                    // A service is meant by its own name; by a family's, all of it.
                    let one = holds(family);
                    for container in family.containers.iter_mut().filter(|container| !one || container.name == *name) {
                        for variable in &user.variables {
                            let taken = container.environment.contains_key(variable) || container.secrets.contains_key(variable);
                            let other = container.topics.insert(variable.clone(), topic.clone());
                            if taken || other.is_some_and(|other| other != topic) {
                                let message = format!("{variable} of {} is set already", container.name);
                                self.error_at(Code::CONTRADICTION, &user.service, message).help =
                                    Some("name another variable with ReturnValues: { TopicArn: NAME }".to_owned());
                            }
                        }
                    }
                }
            }
        }
    }
}
