-- Users and their profiles, for stores with UserCreated, UserUpdated, UserDeleted and ProfileUpdated.
--
-- One file, two read models. An update carries only the fields that changed, hence the coalesce. A profile
-- comes into being with its first ProfileUpdated and is overwritten by later ones. Nothing in the events says
-- which id a profile row has or when somebody last logged in: both columns are declared, no statement writes
-- them, and a comparison reports them apart.

-- @projection user_read_model key: id category: User
CREATE TABLE user_read_model (
    id VARCHAR(36) PRIMARY KEY,
    email VARCHAR(255) NOT NULL,
    name VARCHAR(100) NOT NULL,
    status TEXT CHECK (status IN ('active', 'inactive', 'deleted')) DEFAULT 'active',
    created_at TIMESTAMP,
    updated_at TIMESTAMP
);

-- @on UserCreated
INSERT INTO user_read_model (id, email, name, status, created_at, updated_at)
VALUES (:stream_id, :data ->> 'email', :data ->> 'name', 'active', :time, :time);

-- @on UserUpdated
UPDATE user_read_model
SET email = coalesce(:data ->> 'email', email),
    name = coalesce(:data ->> 'name', name),
    updated_at = :time
WHERE id = :stream_id;

-- @on UserDeleted
UPDATE user_read_model SET status = 'deleted', updated_at = :time WHERE id = :stream_id;

-- @projection user_profile_read_model key: user_id category: User
CREATE TABLE user_profile_read_model (
    id VARCHAR(36),
    user_id VARCHAR(36) PRIMARY KEY,
    bio TEXT,
    avatar_url VARCHAR(500),
    preferences JSON,
    last_login TIMESTAMP
);

-- @on ProfileUpdated
INSERT INTO user_profile_read_model (user_id, bio, avatar_url, preferences)
VALUES (:stream_id, :data ->> 'bio', :data ->> 'avatar_url', :data -> 'preferences')
ON CONFLICT (user_id) DO UPDATE
SET bio = excluded.bio, avatar_url = excluded.avatar_url, preferences = excluded.preferences;
