//! Role and groups, of which the built-in one says the same thing twice (R-PERM-1).

use std::collections::{BTreeSet, HashMap};

use crate::{ids::GroupId, permission::Role};

/// A user's role, and its groups with the built-in one of its role and no other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The role.
    pub role: Role,
    /// All groups.
    pub groups: BTreeSet<GroupId>,
}

impl Membership {
    /// What becomes of it when role, groups or both are set.
    ///
    /// A role other than the present one wins: it moves the user between the built-in groups. Else the built-in groups
    /// among those set decide, `Admin` before `App integration` before `Regular user`. Where none of them is set, a
    /// role that was given stays, and without one the user is a regular user.
    #[must_use]
    pub fn set(
        &self,
        role: Option<Role>,
        groups: Option<&BTreeSet<GroupId>>,
        built_in: &HashMap<Role, GroupId>,
    ) -> Self {
        let named = |groups: &BTreeSet<GroupId>| {
            let mut by_weight = [Role::Admin, Role::App, Role::User].into_iter();
            by_weight.find(|role| built_in.get(role).is_some_and(|group| groups.contains(group)))
        };
        let role = match (role, groups) {
            (Some(role), _) if role != self.role => role,
            (given, Some(groups)) => named(groups).or(given).unwrap_or(Role::User),
            (_, None) => self.role,
        };
        let others = groups.unwrap_or(&self.groups).iter().filter(|group| !built_in.values().any(|b| b == *group));
        let groups = others.copied().chain(built_in.get(&role).copied()).collect();
        Self { role, groups }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(ids: &[i64]) -> BTreeSet<GroupId> {
        ids.iter().copied().map(GroupId).collect()
    }

    #[test]
    fn r_perm_1_a_user_is_in_the_built_in_group_of_its_role_and_in_no_other() {
        let built_in = HashMap::from([(Role::Admin, GroupId(2)), (Role::User, GroupId(3)), (Role::App, GroupId(4))]);
        let user = Membership { role: Role::User, groups: groups(&[3, 9]) };
        for (role, set, wanted_role, wanted) in [
            (None, None, Role::User, vec![3, 9]),
            (Some(Role::Admin), None, Role::Admin, vec![2, 9]),
            (Some(Role::App), None, Role::App, vec![4, 9]),
            (None, Some(vec![2]), Role::Admin, vec![2]),
            (None, Some(vec![3, 2, 8]), Role::Admin, vec![2, 8]),
            (None, Some(vec![3, 4]), Role::App, vec![4]),
            (None, Some(vec![]), Role::User, vec![3]),
            // A role that changes wins; one that is sent back as it was does not.
            (Some(Role::Admin), Some(vec![3, 9]), Role::Admin, vec![2, 9]),
            (Some(Role::User), Some(vec![2, 9]), Role::Admin, vec![2, 9]),
            (Some(Role::User), Some(vec![8]), Role::User, vec![3, 8]),
        ] {
            let set = set.as_deref().map(groups);
            let now = user.set(role, set.as_ref(), &built_in);
            assert_eq!((now.role, now.groups), (wanted_role, groups(&wanted)), "{role:?} {set:?}");
        }
        let admin = Membership { role: Role::Admin, groups: groups(&[2]) };
        assert_eq!(admin.set(None, Some(&groups(&[9])), &built_in).role, Role::User);
        assert_eq!(admin.set(Some(Role::Admin), Some(&groups(&[9])), &built_in).role, Role::Admin);
    }
}
